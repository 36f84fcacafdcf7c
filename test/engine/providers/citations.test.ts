/** Citations in the shape of each vendor, and in the one that all formats are made from. */
import { expect, test } from '@jest/globals';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { type CohereEvent, mapCohereStream } from '../../../engine/providers/cohere/stream.ts';
import { mapGoogleStream } from '../../../engine/providers/google/stream.ts';
import { mapOpenAiChatStream } from '../../../engine/providers/openai-chat/stream.ts';
import type { ProviderCall, ProviderEvent } from '../../../engine/providers/provider.ts';

const CALL: ProviderCall = {
  model: 'm',
  input: { messages: [{ role: 'user', content: 'Where?' }], maxOutputTokens: 100 },
  maxOutputTokens: 100,
  idempotencyKey: 'k',
  resume: { strategy: 'start' },
  signal: new AbortController().signal,
};

async function* listOf<Value>(...values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

/** Each citation as what it cites, from where, and its page. */
async function citedIn(events: AsyncIterable<ProviderEvent>, before = ''): Promise<[string, string][]> {
  let text = before;
  const cited: [string, string][] = [];
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    if (event.type !== 'annotation') continue;
    expect(event).toMatchObject({ format: 'openai-chat', value: { type: 'url_citation' } });
    const citation = event.value['url_citation'] as { url: string; start_index: number; end_index: number };
    const { url, start_index: start, end_index: end } = citation;
    cited.push([text.slice(start, end), url]);
  }
  return cited;
}

const perplexity = (chunks: readonly object[], call = CALL) =>
  mapOpenAiChatStream(listOf(...(chunks as ChatCompletionChunk[])), call, {});
const chunk = (content: string, more: object = {}, finish_reason: string | null = null) => ({
  id: 'c',
  choices: [{ index: 0, delta: { content }, finish_reason }],
  ...more,
});
const PAGES = {
  citations: ['https://a.example', 'https://b.example', 'https://c.example'],
  search_results: [
    { url: 'https://a.example', title: 'A' },
    { url: 'https://b.example', title: null },
    { url: 'https://c.example' },
    { title: 'no page' },
  ],
};

test('Perplexity: each mark cites its page, and a page without a mark the whole answer', async () => {
  const chunks = [chunk('Oslo [1', PAGES), chunk('], or [2][1] [9].', PAGES, 'stop')];
  expect(await citedIn(perplexity(chunks))).toEqual([
    ['[1]', 'https://a.example'],
    ['[2]', 'https://b.example'],
    ['[1]', 'https://a.example'],
    ['', 'https://c.example'],
  ]);
  const first = 'https://a.example';
  expect(await citedIn(perplexity([chunk('Oslo [1]', { citations: [first] }, 'stop')]))).toEqual([
    ['[1]', first],
  ]);
});

test('Perplexity: a continued answer is cited where its text is', async () => {
  const deliveredText = 'It is ';
  const call: ProviderCall = { ...CALL, resume: { strategy: 'instruct', deliveredText } };
  const events = perplexity([chunk('Oslo [1].', PAGES, 'stop')], call);
  expect((await citedIn(events, deliveredText))[0]).toEqual(['[1]', 'https://a.example']);
});

test('a vendor that annotates the text itself is not cited twice', async () => {
  const own = {
    type: 'url_citation',
    url_citation: { url: 'https://own.example', start_index: 0, end_index: 4 },
  };
  const annotated = {
    id: 'c',
    choices: [{ index: 0, delta: { annotations: [own] }, finish_reason: 'stop' }],
    ...PAGES,
  };
  expect(await citedIn(perplexity([chunk('Oslo [1]', PAGES), annotated]))).toEqual([
    ['Oslo', 'https://own.example'],
  ]);
});

test('Google: what it quotes and what a search has found, by bytes', async () => {
  const text = 'Bodø 🙂 is north.';
  const bytes = (part: string) => Buffer.byteLength(text.slice(0, text.indexOf(part)));
  const candidate = {
    content: { parts: [{ text }] },
    finishReason: 'STOP',
    citationMetadata: {
      citations: [{ uri: 'https://q.example', startIndex: 0, endIndex: 5 }, { license: 'MIT' }],
    },
    groundingMetadata: {
      groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }, {}],
      groundingSupports: [
        { segment: { startIndex: bytes('is'), endIndex: bytes('.') }, groundingChunkIndices: [0, 1, 7] },
      ],
    },
  };
  const events = mapGoogleStream(listOf({ candidates: [candidate] }) as never, CALL);
  expect(await citedIn(events)).toEqual([
    ['Bodø', 'https://q.example'],
    ['is north', 'https://a.example'],
  ]);
});

test('Cohere: documents and results with a page; not what it thinks, nor what has no page', async () => {
  const source = { type: 'document', document: { url: 'https://a.example', title: 'A' } };
  const citation = (more: object) => ({
    type: 'citation-start',
    delta: { message: { citations: { start: 6, end: 10, sources: [source], ...more } } },
  });
  const events = mapCohereStream(
    listOf<CohereEvent>(
      { type: 'content-delta', delta: { message: { content: { text: 'It is Oslo.' } } } },
      citation({}),
      citation({ type: 'THINKING_CONTENT' }),
      citation({ sources: [{ document: { snippet: 'x' } }, { toolOutput: { url: 'https://t.example' } }] }),
      { type: 'message-end', delta: { finishReason: 'COMPLETE' } },
    ),
    CALL,
  );
  expect(await citedIn(events)).toEqual([
    ['Oslo', 'https://a.example'],
    ['Oslo', 'https://t.example'],
  ]);
});
