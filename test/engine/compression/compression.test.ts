import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { countTokens } from '../../../contracts/count-tokens.ts';
import type { Message } from '../../../contracts/generation.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { createCoarseCompressor } from '../../../engine/compression/coarse-compressor.ts';
import { compressInput } from '../../../engine/compression/compress-input.ts';
import type { Compressor } from '../../../engine/compression/compressor.ts';
import { findContexts } from '../../../engine/compression/find-contexts.ts';
import { loadLlmLingua2 } from '../../../engine/compression/llmlingua2-compressor.ts';
import { type Compress, createPromptCompression } from '../../../engine/compression/prompt-compression.ts';
import { splitText } from '../../../engine/compression/split-text.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { readCompressionSet } from '../../prove/compression-set.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const OWNER = { tenant: 'acme', user: 'ann', route: 'default', requestHash: 'hash', metadata: {} };
const documents = readCompressionSet();
const [article] = documents;
if (article === undefined) throw new Error('the set is empty');
const byWords = createCoarseCompressor(countTokens, null);
const half = async (contexts: readonly string[], question: string) => {
  const tokens = contexts.reduce((sum, text) => sum + countTokens(text), 0);
  const targetTokens = Math.floor(tokens / 2);
  const texts = await byWords.compress({ question, contexts, targetTokens });
  return { targetTokens, texts: texts.map(({ text }) => text) };
};

describe('the built-in compressor', () => {
  test('fills its target, never exceeds it, and keeps what it keeps word for word and in order', async () => {
    for (const { text, questions } of documents) {
      const { targetTokens, texts } = await half([text], questions[0]?.ask ?? '');
      const [shorter = ''] = texts;
      expect(countTokens(shorter)).toBeLessThanOrEqual(targetTokens);
      expect(countTokens(shorter)).toBeGreaterThan(0.9 * targetTokens);
      let from = 0;
      for (const unit of splitText(shorter)) {
        const at = text.indexOf(unit.text, from);
        expect(`${unit.text} at ${at}`).not.toContain('at -1');
        from = at;
      }
    }
  });

  test('gives the same output for the same input', async () => {
    const once = await half([article.text], 'What was the root cause?');
    expect(await half([article.text], 'What was the root cause?')).toEqual(once);
  });

  test('works without a question, and on texts that are no prose', async () => {
    expect((await half([article.text], '')).texts[0]?.length).toBeGreaterThan(1_000);
    for (const text of [
      'x'.repeat(5_000),
      '\n\n\n',
      '| a | b |\n'.repeat(300),
      '東京は日本の首都です。'.repeat(100),
    ]) {
      const { targetTokens, texts } = await half([text], 'What is a?');
      expect(countTokens(texts[0] ?? '')).toBeLessThanOrEqual(Math.max(1, targetTokens));
    }
  });

  test('keeps a block of code whole or not at all', async () => {
    const guide = documents.find(({ name }) => name.includes('database-tutorial'));
    const blocks = guide?.text.match(/```[\s\S]*?```/g) ?? [];
    expect(blocks.length).toBeGreaterThan(4);
    const { texts } = await half([guide?.text ?? ''], 'How is an index created?');
    expect(blocks.some((block) => texts[0]?.includes(block))).toBe(true);
    expect((texts[0]?.match(/```/g) ?? []).length % 2).toBe(0);
  });

  test('says the same thing once', async () => {
    const fact =
      'The harbour office closes every evening at half past six, except on the last Friday of the month.';
    const others = splitText(article.text)
      .slice(0, 20)
      .map(({ text }) => text);
    const text = [fact, ...others, fact, `${fact.slice(0, -1)}!`].join(' ');
    const { texts } = await half([text], 'When does the harbour office close?');
    expect(texts[0]?.split('harbour office').length).toBe(2);
  });

  test('keeps the heading and the head of the table of what it keeps', async () => {
    const report = documents.find(({ name }) => name.includes('quarterly'));
    const question = 'What was the revenue of services and consumables?';
    const { texts } = await half([report?.text ?? ''], question);
    expect(texts[0]).toMatch(/\| division \| revenue[\s\S]*\| Services and consumables \| 41\.8/);
  });
});

describe('what is context', () => {
  const long = article.text;
  const found = (messages: readonly Message[]) => findContexts(messages);
  const user = (content: Message['content']): Message => ({ role: 'user', content });

  test('is what stands in documents; the question around them is not touched', () => {
    const content = `Read this.\n<document id="1">${long}</document>\n<document id="2">short one</document>\nWho was first?`;
    const { question, contexts, rebuild } = found([user(content)]);
    expect(contexts).toEqual([long, 'short one']);
    expect(question.replace(/\s+/g, ' ')).toBe('Read this. Who was first?');
    expect(rebuild(contexts, [1, 0])).toEqual([user(content)]);
    expect(rebuild(['A', 'B'], [0, 1])[0]?.content).toBe(
      'Read this.\n<document id="2">B</document>\n<document id="1">A</document>\nWho was first?',
    );
  });

  test.each(['What does the second document say?', 'Compare the last text with document 1.'])(
    'keeps its order where the question speaks of it: %s',
    (question) => {
      const content = `<document>a</document><document>b</document>${question}`;
      expect(found([user(content)]).rebuild(['a', 'b'], [0, 1])).toEqual([user(content)]);
    },
  );

  test('is never the question itself, however long, nor a short turn, a tool call or an image', () => {
    const messages: readonly Message[] = [
      user('Answer in French.'),
      {
        role: 'assistant',
        content: [{ type: 'tool-call', id: 'c1', name: 'search', arguments: JSON.stringify({ long }) }],
      },
      user([{ type: 'tool-result', id: 'c1', content: long }]),
      { role: 'assistant', content: long },
      user([
        { type: 'text', text: long },
        { type: 'image', url: 'https://example.com/a.png' },
        { type: 'text', text: long },
      ]),
    ];
    const { contexts, question, rebuild } = found(messages);
    expect(contexts).toEqual([long, long, long]);
    expect(question).toBe(long.trim());
    const rebuilt = rebuild(['1', '2', '3'], [0, 0, 0]);
    expect(rebuilt[0]).toEqual(messages[0]);
    expect(rebuilt[1]).toEqual(messages[1]);
    expect(rebuilt[2]).toEqual(user([{ type: 'tool-result', id: 'c1', content: '1' }]));
    expect(rebuilt[4]?.content).toMatchObject([{ text: '3' }, { type: 'image' }, { text: long }]);
    expect(found([user(long)]).contexts).toEqual([]);
  });

  test('of a conversation that waits for tools has the question before them', () => {
    const { question, contexts } = found([
      user(`Sum this up. ${'Be careful. '.repeat(100)}`),
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'read', arguments: '{}' }] },
      user([{ type: 'tool-result', id: 'c1', content: long }]),
    ]);
    expect(question).toContain('Sum this up.');
    expect(contexts).toEqual([long]);
  });
});

describe('an input', () => {
  const inputOf = (text: string): { messages: readonly Message[] } => ({
    messages: [{ role: 'user', content: `<document>${text}</document>\nWho noticed it first?` }],
  });
  const broken: Compressor = {
    engine: 'built-in',
    compress: async () => {
      throw new Error('out of order');
    },
  };

  test('is compressed to its share, and says what was removed', async () => {
    const compressed = await compressInput(byWords, inputOf(article.text), { keep: 0.5 }, countTokens);
    expect(compressed).toMatchObject({
      engine: 'built-in',
      reason: null,
      tokensBefore: countTokens(article.text),
    });
    expect(compressed.tokensAfter / compressed.tokensBefore).toBeLessThanOrEqual(0.5);
    expect(compressed.messages[0]?.content).toMatch(
      /^<document>[\s\S]+<\/document>\nWho noticed it first\?$/,
    );
    expect(compressed.messages[0]?.content).toContain('Priya Raman');
  });

  test.each([
    ['short', inputOf('A short text.'), byWords, 'fewer than 300 tokens'],
    ['without context', { messages: [{ role: 'user', content: 'Hello' }] as const }, byWords, 'no context'],
    ['whose compressor fails', inputOf(article.text), broken, 'out of order'],
  ])('that is %s stays as it is, with the reason', async (_, input, compressor, reason) => {
    const compressed = await compressInput(compressor, input, { keep: 0.5 }, countTokens);
    expect(compressed.messages).toEqual(input.messages);
    expect(compressed.tokensAfter).toBe(compressed.tokensBefore);
    expect(compressed.reason).toContain(reason);
  });

  test('within its target stays as it is', async () => {
    const compressed = await compressInput(
      byWords,
      inputOf(article.text),
      { targetTokens: 9_999 },
      countTokens,
    );
    expect(compressed.reason).toContain('within its target');
  });
});

describe('the compression of a generation', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server?.stop());

  test('is made once: all processes and attempts send the same', async () => {
    let made = 0;
    const counting: Compressor = {
      engine: 'built-in',
      compress: async () => {
        made += 1;
        return [{ text: `made ${made}`, relevance: 0 }];
      },
    };
    const compress: Compress = (messages, target) =>
      compressInput(counting, { messages }, target, countTokens);
    const [a, b] = await Promise.all(
      [1, 2].map(async () => createPromptCompression(await server.connect(), compress)),
    );
    if (a === undefined || b === undefined) throw new Error('unreachable');
    const id = `gen_${randomUUID()}`;
    const log = new RedisEventLog(await server.connect(), { retentionMs: 60_000 });
    const content = `<document>${article.text}</document>Who?`;
    const input = { messages: [{ role: 'user' as const, content }], maxOutputTokens: 9 };
    await log.create({ generationId: id, ...OWNER, input });
    expect(await a.compressOnce({ generationId: id, tenant: 'acme' }, input)).toBeNull();
    const wish = { ...input, compression: { keep: 0.5 } };
    const all = await Promise.all(
      [a, b, a, b].map((process) => process.compressOnce({ generationId: id, tenant: 'acme' }, wish)),
    );
    expect(new Set(all.map((input) => JSON.stringify(input))).size).toBe(1);
    expect(await b.read(id)).toEqual(all[0]);
    const before = made;
    await a.compressOnce({ generationId: id, tenant: 'acme' }, wish);
    expect(made).toBe(before);
  });

  test('keeps nothing of a log that was erased while a step of it still compressed', async () => {
    const redis = await server.connect();
    const log = new RedisEventLog(redis, { retentionMs: 60_000 });
    const generationId = `gen_${randomUUID()}`;
    const content = `<document>${article.text}</document>Who?`;
    const compression = { keep: 0.5 };
    const input = { messages: [{ role: 'user' as const, content }], maxOutputTokens: 9, compression };
    await log.create({ generationId, ...OWNER, input });
    const overtaken = createPromptCompression(redis, async (messages, target) => {
      await log.appendOnce(generationId, 'end', [
        { type: 'generation-cancel', attempts: 1, usage: NO_USAGE, costMicroUsd: 0 },
      ]);
      expect(await log.erase(generationId)).toBe('now');
      return compressInput(byWords, { messages }, target, countTokens);
    });
    expect(await overtaken.compressOnce({ generationId, tenant: 'acme' }, input)).toMatchObject({
      tokensBefore: expect.any(Number),
    });
    expect(await overtaken.read(generationId)).toBeNull();
  });
});

describe('LLMLingua-2', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-lingua-'));
  const model = join(folder, 'tiny');
  mkdirSync(join(model, 'onnx'), { recursive: true });
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    writeFileSync(join(model, file), '{}');
  }
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const config = { model, family: 'bert', dtype: 'fp32' } as const;

  test('without its model says which folder lacks what', async () => {
    const load = async () => ({});
    const loading = loadLlmLingua2({ ...config, model: join(folder, 'nowhere') }, countTokens, load);
    await expect(loading).rejects.toThrow(/nowhere does not exist.*tinybert-meetingbank/);
    mkdirSync(join(folder, 'empty'), { recursive: true });
    const empty = loadLlmLingua2({ ...config, model: join(folder, 'empty') }, countTokens, load);
    await expect(empty).rejects.toThrow('lacks config.json, tokenizer.json, tokenizer_config.json, onnx/');
  });

  test('without its packages says how to install them', async () => {
    const load = async (name: string) => {
      throw new Error(`Cannot find package '${name}'`);
    };
    await expect(loadLlmLingua2(config, countTokens, load)).rejects.toThrow(
      'npm install @atjsh/llmlingua-2 @huggingface/transformers js-tiktoken',
    );
  });

  test('loads the model of the folder, fetches nothing, and asks for the rate of the target', async () => {
    const env = { localModelPath: '', allowRemoteModels: true };
    const calls: object[] = [];
    const load = async (name: string): Promise<unknown> => {
      if (name === '@huggingface/transformers') return { env };
      if (name === 'js-tiktoken/lite') return { Tiktoken: class {} };
      if (name !== '@atjsh/llmlingua-2') return { default: {} };
      return {
        LLMLingua2: {
          WithBERTMultilingual: async (id: string, options: object) => {
            calls.push({ id, ...options });
            return {
              promptCompressor: {
                compress: async (text: string, how: object) => {
                  calls.push(how);
                  return text.slice(0, 10);
                },
              },
            };
          },
        },
      };
    };
    const compressor = await loadLlmLingua2(config, () => 100, load);
    const contexts = ['the first of two texts', 'the second one'];
    const texts = await compressor.compress({ question: '', contexts, targetTokens: 50 });
    expect(env).toEqual({ localModelPath: folder, allowRemoteModels: false });
    expect(calls[0]).toMatchObject({ id: 'tiny', transformerJSConfig: { device: 'cpu', dtype: 'fp32' } });
    expect(calls[1]).toMatchObject({ rate: 0.25, forceReserveDigit: true });
    expect(texts.map(({ text }) => text)).toEqual(['the first ', 'the second']);
  });
});

test('the set has an answer for each question, once, in documents of 600 to 3,000 words', () => {
  expect(documents.length).toBeGreaterThanOrEqual(30);
  expect(documents.flatMap(({ questions }) => questions).length).toBeGreaterThanOrEqual(120);
  for (const { name, text, questions } of documents) {
    const words = text.split(/\s+/).length;
    expect(`${name}: ${words >= 600 && words <= 3_000}`).toBe(`${name}: true`);
    for (const { answer } of questions) {
      expect(`${name}: ${answer}: ${text.split(answer).length - 1}`).toBe(`${name}: ${answer}: 1`);
    }
  }
});
