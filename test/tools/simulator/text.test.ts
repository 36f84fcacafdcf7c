/** What a person reads: whole sentences about the question, in the form that was asked for, the same every time. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../../../contracts/content.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { findContinuation, withoutDelivered } from '../../../tools/simulator/continuation.ts';
import { countWords } from '../../../tools/simulator/text/sentence-source.ts';
import { TOPICS } from '../../../tools/simulator/text/sentences.ts';
import { joinTokens, scriptFor, trueText, truthOf } from '../../../tools/simulator/true-text.ts';

const ask = (...contents: string[]): { messages: Message[] } => {
  const messages: Message[] = [];
  for (const content of contents) {
    if (messages.length > 0) messages.push({ role: 'assistant', content: trueText({ messages }) });
    messages.push({ role: 'user', content });
  }
  return { messages };
};
const answerTo = (...contents: string[]) => trueText(ask(...contents));

const subject = fc.constantFrom('the long rivers', 'tea', 'a lost token', 'Ünïcode', '東京', 'TCP');
const question = fc
  .tuple(fc.constantFrom('Why is', 'How does', 'Tell me about', 'Compare', 'What is'), subject, fc.nat())
  .map(([start, what, number]) => `${start} ${what}, case ${number}?`);

/** Prose only: what is in code, in tables and in headings has its own form. */
function sentencesOf(text: string): string[] {
  const prose = text
    .replace(/```.*?```/gs, '')
    .split('\n')
    .filter((line) => !/^(#|\||- |\d+\. )/.test(line));
  return prose.flatMap((line) => line.split(/(?<=[.!?])\s+/)).filter((sentence) => sentence !== '');
}

describe('the pool', () => {
  const sentences = TOPICS.flatMap((topic) => topic.sentences);

  test('has at least 150 sentences, each of them once', () => {
    expect(sentences.length).toBeGreaterThanOrEqual(150);
    expect(new Set(sentences).size).toBe(sentences.length);
  });

  test('has whole sentences', () => {
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z“][^{}]*[.?]$/);
    for (const lead of TOPICS.flatMap(({ leads }) => leads))
      expect(lead).toMatch(/^[A-Z][^{}]*\{phrase\}[^{}]*\.$/);
  });
});

describe('an answer', () => {
  test('is of whole sentences, and names the subject of the question', () => {
    fc.assert(
      fc.property(question, (words) => {
        const text = answerTo(words);
        for (const sentence of sentencesOf(text)) expect(sentence).toMatch(/^[\p{Lu}“].*[.:!?]$/u);
        expect(text).toMatch(/“(the long rivers|tea|a lost token|Ünïcode|東京|TCP)”/);
        expect(text).not.toMatch(/[{}]|undefined| {2}/);
      }),
    );
  });

  test('of a given length has exactly so many tokens, and ends with a whole sentence', () => {
    fc.assert(
      fc.property(question, fc.integer({ min: 1, max: 900 }), (words, tokens) => {
        const input = ask(`${words} [[sim tokens=${tokens}]]`);
        const truth = truthOf(input);
        expect(truth.tokens).toBe(tokens);
        expect(countWords(truth.text)).toBe(tokens);
        expect(truth.text).toMatch(/[.!?]$/);
      }),
    );
  });

  test('does not begin again in its middle, so that a continuation is never taken for a restart', () => {
    fc.assert(
      fc.property(question, fc.boolean(), fc.integer({ min: 1, max: 3_000 }), (words, isMixed, tokens) => {
        const text = answerTo(`${words} [[sim ${isMixed ? 'script=mixed ' : ''}tokens=${tokens}]]`);
        expect(text.indexOf(text.slice(0, LIMITS.leastContinuedChars), 1)).toBe(-1);
      }),
    );
  });

  test('of a hundred thousand tokens repeats no sentence in its first three thousand words', () => {
    const text = answerTo('Tell me about rivers [[sim tokens=100000]]');
    expect(countWords(text)).toBe(100_000);
    const beginning = sentencesOf(text.split(' ').slice(0, 3_000).join(' '));
    expect(new Set(beginning).size).toBe(beginning.length);
  });

  test('refers to the turn and to the question before it', () => {
    const third = answerTo(
      'Why is the sky blue?',
      'What is the capital of France?',
      'How long is the river Nile?',
    );
    expect(third).toContain('third question');
    expect(third).toContain('“the capital of France”');
    expect(answerTo('Why is the sky blue?', 'Tell me more.')).toContain('“the sky blue”');
  });

  test('has a turn for every question, however many there were', () => {
    const questions = Array.from(
      { length: 40 },
      (_, turn) => `Question ${turn} about rivers [[sim tokens=30]]`,
    );
    const { messages } = ask(...questions);
    const answers = messages.flatMap(({ role, content }) => (role === 'assistant' ? [content] : []));
    expect(new Set(answers).size).toBe(39);
  });

  test('has the number of sentences or words that the question asks for', () => {
    expect(sentencesOf(answerTo('In three sentences: what is a token?'))).toHaveLength(3);
    expect(sentencesOf(answerTo('Explain rivers in 7 short sentences.'))).toHaveLength(7);
    expect(countWords(answerTo('Describe a river in 200 words.'))).toBe(200);
    expect(countWords(answerTo('Write a long essay about rivers.'))).toBeGreaterThan(400);
    expect(countWords(answerTo('Rivers, briefly?'))).toBeLessThan(60);
  });

  test.each([
    ['a list', 'Give me a list about rivers', /^- \*\*.+\*\* /m],
    ['steps', 'Which steps make tea?', /^1\. .+\n2\. /m],
    ['a table', 'Show a table of rivers', /^\| .+ \|\n\| --- \| --- \| --- \|\n\| /m],
    ['Python', 'Show me some Python code', /^```python\n.+^```$/ms],
    ['SQL', 'Write sql for rivers', /^```sql\nSELECT .+^```$/ms],
    ['TypeScript', 'Write me a function for sorting', /^```typescript\n.+^```$/ms],
    ['headings', 'Write a report with headings about rivers', /^## \w+/m],
    ['a summary', 'Rivers, with a summary', /^\*\*(Summary|In short):\*\*/m],
    ['a poem', 'Write a poem about the sea', /^### .+“the sea”\n\n.+,\\\n/m],
  ])('has %s where the question asks for it, in any turn', (_name, words, form) => {
    expect(answerTo(words)).toMatch(form);
    expect(answerTo('Why is the sky blue?', words)).toMatch(form);
    expect(answerTo('Why is the sky blue?')).not.toMatch(form);
  });

  test('quotes the question safely', () => {
    const text = answerTo('<script>alert(1)</script> **bold** `code` [link](https://example.com) 17?');
    expect(text).not.toMatch(/<script|https:|\]\(/);
  });

  test('reasons about the question where the request asks for it', () => {
    const { reasoning, text } = truthOf({ ...ask('Why is the sky blue?'), thinks: true });
    expect(reasoning).toMatch(/^The user wants to know about “the sky blue”\. /);
    expect(countWords(reasoning)).toBe(45);
    expect(text).toBe(answerTo('Why is the sky blue?'));
  });

  test('is in many scripts where a directive says so, and no token is half a character', () => {
    const input = ask('Any [[sim script=mixed tokens=900]]');
    const { tokens } = scriptFor(input);
    expect(tokens).toHaveLength(900);
    for (const { text } of tokens) expect(text.isWellFormed()).toBe(true);
    const text = trueText(input);
    for (const script of [
      'Latin',
      'Greek',
      'Cyrillic',
      'Hebrew',
      'Arabic',
      'Devanagari',
      'Thai',
      'Han',
      'Hangul',
    ]) {
      expect(text).toMatch(new RegExp(`\\p{Script=${script}}`, 'u'));
    }
    expect(text).toMatch(/\u200d/);
    expect(trueText(ask('Any [[sim script=thai tokens=200]]'))).not.toMatch(/\p{Script=Cyrillic}/u);
  });
});

test('a continuation is the rest of the text, wherever it was cut', () => {
  fc.assert(
    fc.property(
      question,
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (words, isMixed, share) => {
        const input = ask(`${words} ${isMixed ? '[[sim script=mixed tokens=80]]' : ''}`);
        const whole = trueText(input);
        const delivered = whole.slice(0, Math.max(1, Math.floor(share * whole.length)));
        const messages = [...input.messages, { role: 'assistant' as const, content: delivered }];
        const { base, deliveredText } = findContinuation({ messages });
        const rest = withoutDelivered(scriptFor(base).tokens, deliveredText);
        expect(deliveredText + joinTokens(rest, ({ kind }) => kind === 'text')).toBe(whole);
      },
    ),
  );
});

describe('a tool', () => {
  const tools = [
    { name: 'get_time', parameters: {} },
    { name: 'getWeather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  ];

  test('is called where the question names it, with arguments from the question', () => {
    const { toolCalls, text } = truthOf({ ...ask('How is the weather in Paris?'), tools });
    expect(toolCalls).toEqual([{ name: 'getWeather', arguments: '{"city":"Paris"}' }]);
    expect(text).toBe('');
  });

  test('is not called for other questions, nor once its result is there', () => {
    expect(truthOf({ ...ask('Why is the sky blue?'), tools }).toolCalls).toEqual([]);
    const messages: Message[] = [
      { role: 'user', content: 'How is the weather in Paris?' },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'getWeather', arguments: '{}' }] },
      { role: 'user', content: [{ type: 'tool-result', id: 'a', content: 'Rain, then sun.' }] },
    ];
    const { toolCalls, text } = truthOf({ messages, tools });
    expect(toolCalls).toEqual([]);
    expect(text).toContain('“Rain, then sun.”');
  });
});

test('another answer to the same request differs from its first words on', () => {
  const input = ask('Why is the sky blue? [[sim tokens=60]]');
  const other = joinTokens(scriptFor(input, '0.5').tokens, ({ kind }) => kind === 'text');
  expect(other.slice(0, 24)).not.toBe(trueText(input).slice(0, 24));
});
