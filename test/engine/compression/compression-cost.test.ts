/** The content of a context must not decide how long others wait. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { countTokens } from '../../../contracts/count-tokens.ts';
import { createCoarseCompressor } from '../../../engine/compression/coarse-compressor.ts';
import { compressInput } from '../../../engine/compression/compress-input.ts';
import { findContexts } from '../../../engine/compression/find-contexts.ts';
import type { EncodeSentences } from '../../../engine/compression/sentence-vectors.ts';
import {
  createThreadedCompression,
  type ThreadedCompression,
} from '../../../engine/compression/threaded-compression.ts';
import { termsOf } from '../../../engine/compression/words.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { TooLate } from '../../../platform/with-timeout.ts';
import { growthOf } from '../../harness/growth.ts';

const PIECES: Readonly<Record<string, string>> = {
  prose: 'The river carries light over stone, and nobody counts the days. ',
  'line ends': '\n',
  spaces: ' ',
  'open fences': '```\n',
  'blocks of code': '```\ncode of nothing\n```\n',
  'fences of two kinds': '```\n~~~\n',
  headings: '# a\n\n',
  'headings ever deeper': '# a\n\n## b\n\n### c\n\n',
  'heads of tables': '|---|\n',
  rows: '| a | b |\n',
  'a line of a table': '|-',
  'list items': '- item one\n',
  'numbers of nothing': '1. ',
  abbreviations: 'Dr. ',
  letters: 'a. ',
  'open documents': '<document>',
  'tags without an end': '<document ',
  documents: '<document>a</document>',
  'closing tags': '</document>',
  'the same sentence': 'Alpha beta gamma delta epsilon zeta. ',
  'short paragraphs': 'word\n\n',
  quotes: '"a" ',
  Han: '東',
  dots: '. ',
  questions: 'Why? ',
};
const byWords = createCoarseCompressor(countTokens, null);

describe.each(Object.entries(PIECES))('a context of %s', (_name, unit) => {
  const textOf = (chars: number) => unit.repeat(Math.ceil(chars / unit.length));

  test('is found in twice the time at twice the length', () => {
    const growth = growthOf((chars) => {
      const text = textOf(chars);
      return () =>
        findContexts([
          { role: 'user', content: text },
          { role: 'user', content: `What is ${text}?` },
        ]).rebuild([], []);
    }, 8_000);
    expect(growth).toBeLessThan(2.5);
  });

  test('is compressed in twice the time at twice the length', () => {
    const growth = growthOf((chars) => {
      const task = {
        contexts: [textOf(chars)],
        question: 'What carries item one?',
        targetTokens: chars / 20,
      };
      // It is synchronous but for the vectors, of which there are none.
      return () => void byWords.compress(task);
    }, 8_000);
    expect(growth).toBeLessThan(2.6);
  });
});

test('words of millions of joined parts are ranked, too', () => {
  expect(termsOf(`${'b.'.repeat(4_000_000)} repaired`).at(-1)).toBe('repair');
});

describe('compression in a thread', () => {
  const { compression } = configSchema.parse({ compression: { ranking: 'words' } });
  const noVectors = async () => null;
  const running: ThreadedCompression[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((threaded) => threaded.close()));
  });
  const start = async (limitMs?: number) => {
    const threaded = await createThreadedCompression({ compression, encode: noVectors, limitMs });
    running.push(threaded);
    return threaded;
  };
  const startByMeaning = async (encode: EncodeSentences) => {
    const byMeaning = { ...compression, ranking: 'meaning' as const };
    const threaded = await createThreadedCompression({ compression: byMeaning, encode });
    running.push(threaded);
    return threaded;
  };
  const questionAbout = (text: string) => [
    { role: 'user' as const, content: `<document>${text}</document>Who carries light?` },
  ];
  const sentence = (index: number) => `River ${index} carries light over stone ${index * 7}. `;
  const long = Array.from({ length: 20_000 }, (_, index) => sentence(index)).join('');

  test('compresses as it does in this thread', async () => {
    const messages = questionAbout(long.slice(0, 20_000));
    const { compress } = await start();
    expect(await compress(messages, { keep: 0.5 })).toEqual(
      await compressInput(byWords, { messages }, { keep: 0.5 }, countTokens),
    );
  });

  test('serves tenants round-robin: much from one does not delay another', async () => {
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { compress } = await startByMeaning(async (texts) => {
      await held;
      return texts.map(() => [1, 0]);
    });
    const finished: string[] = [];
    const ask = async (name: string, tenant: string) => {
      await compress(questionAbout(long.slice(0, 2_000)), { keep: 0.5 }, tenant);
      finished.push(name);
    };
    const first = ask('first of much', 'much');
    const more = [2, 3, 4, 5].map((index) => ask(`${index} of much`, 'much'));
    const little = ask('little', 'little');
    answer();
    await Promise.all([first, ...more, little]);
    expect(finished.indexOf('little')).toBeLessThanOrEqual(2);
  });

  test('does not block this process', async () => {
    const { compress } = await start();
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    });
    const compressed = await compress(questionAbout(long), { keep: 0.5 });
    clearInterval(others);
    expect(compressed.reason).toBeNull();
    expect(turns).toBeGreaterThan(20);
  });

  test('that takes too long is stopped: the input stays as it is, with the reason, and the next one is compressed', async () => {
    const hasty = await start(1);
    const messages = questionAbout(long);
    const compressed = await hasty.compress(messages, { keep: 0.5 });
    expect(compressed.messages).toEqual(messages);
    expect(compressed.reason).toMatch(
      /^The compression failed: the compressor (was busy for|did not answer within) 1 ms$/,
    );
    const patient = await start();
    expect(await patient.compress(questionAbout(long.slice(0, 20_000)), { keep: 0.5 })).toMatchObject({
      reason: null,
    });
  });

  test('ranks by the vectors that its owner encodes, a few sentences at a time, each once', async () => {
    const encoded: string[] = [];
    const { compress } = await startByMeaning(async (texts) => {
      expect(texts.length).toBeLessThanOrEqual(4);
      encoded.push(...texts);
      // Only one sentence is about what the question asks.
      return texts.map((text) => (text.startsWith('River 7 ') || text.startsWith('Who') ? [1, 0] : [0, 1]));
    });
    // The words of all sentences say the same about the question.
    const text = Array.from({ length: 50 }, (_, index) => `River ${index} carries light over stone. `).join(
      '',
    );
    for (const round of ['first', 'second']) {
      const compressed = await compress(questionAbout(text), { keep: 0.1 });
      expect(`${round}: ${compressed.messages[0]?.content}`).toContain('River 7 ');
    }
    expect(encoded).toHaveLength(51);
  });

  test.each([
    ['is overloaded', async () => Promise.reject(new TooLate('the encoder is busy'))],
    ['has no time for them', async () => null],
  ])('ranks by words alone when the encoder %s', async (_, encode) => {
    const messages = questionAbout(long.slice(0, 20_000));
    const { compress } = await startByMeaning(encode);
    expect(await compress(messages, { keep: 0.5 })).toEqual(
      await compressInput(byWords, { messages }, { keep: 0.5 }, countTokens),
    );
  });

  test('fails with the reason when the encoder fails', async () => {
    const { compress } = await startByMeaning(() => Promise.reject(new Error('the model is missing')));
    const messages = questionAbout(long.slice(0, 20_000));
    expect(await compress(messages, { keep: 0.5 })).toMatchObject({
      messages,
      reason: 'The compression failed: the model is missing',
    });
  });

  test('of an engine that cannot be loaded fails at its start, with what it lacks', async () => {
    const { compression: lingua } = configSchema.parse({
      compression: { engine: 'llmlingua-2', llmlingua2: { model: '/nowhere' } },
    });
    await expect(createThreadedCompression({ compression: lingua, encode: noVectors })).rejects.toThrow(
      '/nowhere does not exist',
    );
  });
});
