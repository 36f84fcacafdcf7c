import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  type Calibration,
  leastFalseHits,
  NEVER,
  readCalibration,
  type Thresholds,
  thresholdsOf,
} from '../../../engine/cache/pair-model/calibration.ts';
import { closenessOf } from '../../../engine/cache/pair-model/closeness.ts';
import { PairReader } from '../../../engine/cache/pair-model/pair-reader.ts';
import { comparisonOf, type PairsToRead, readPairs } from '../../../engine/cache/pair-model/read-pairs.ts';
import { readOpen } from '../../../engine/cache/read-open.ts';
import { assertGuaranteed, createThreadedVerifier } from '../../../engine/cache/threaded-verifier.ts';
import type { Ruling } from '../../../engine/cache/verifier/compare-conversations.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { PATIENT } from '../../harness/patience.ts';
import { readProjectFile } from '../../house/project-files.ts';

const pairOf = (question: string, other: string): PairsToRead['pairs'][number] => [[question], [other]];

describe('an accepted share of false hits', () => {
  const calibration: Calibration = {
    points: [
      { falseHits: 0.004, logit: 5 },
      { falseHits: 0.02, logit: 2 },
      { falseHits: 0.009, logit: 3 },
    ],
  };

  test.each([
    [0.05, { aligned: 1, close: 2, reworded: 2 }],
    [0.02, { aligned: 1, close: 2, reworded: 2 }],
    [0.019, { aligned: 2, close: 3, reworded: 3 }],
    [0.004, { aligned: 4, close: 5, reworded: 5 }],
    [0.0039, null],
  ])('of %p has the thresholds %j: the lowest whose guarantee is as strict', (accepted, thresholds) => {
    expect(thresholdsOf(calibration, accepted)).toEqual(thresholds);
  });

  test('that no threshold guarantees is refused, and the message names the least that is', () => {
    const least = leastFalseHits(readCalibration());
    expect(() => assertGuaranteed({ 'cache.routes.faq.acceptedFalseHits': least / 2 })).toThrow(
      /^cache\.routes\.faq\.acceptedFalseHits is .* guarantees no less than 0\.\d+\. Set it to 0\.\d+ or more, or/,
    );
    expect(() => assertGuaranteed({ 'cache.default.acceptedFalseHits': 0.05 })).not.toThrow();
  });

  test('is guaranteed for the default, and for those in the example of a config', () => {
    const example = configSchema.parse(parse(readProjectFile('unbroken.config.example.yaml')));
    const routes = [
      configSchema.parse({}).cache.default,
      example.cache.default,
      ...Object.values(example.cache.routes),
    ];
    const accepted = routes.map(({ acceptedFalseHits }, at) => [`route ${at}`, acceptedFalseHits]);
    expect(() => assertGuaranteed(Object.fromEntries(accepted))).not.toThrow();
  });
});

describe('two prompts', () => {
  const prompt = 'How do I reset the password of my mailbox?';
  test.each([
    ['close', 'how do i reset teh pasword of my mailbox'],
    ['close', 'How do I reset the password of my router?'],
    [
      'close',
      'Hello! How do I reset the password of my mailbox? Many thanks, I hope you are having a lovely day',
    ],
    ['reworded', 'Locked out of my email account, forgot the login. Which steps give me a new one?'],
  ])('are %s if %j is the other one', (closeness, other) => {
    expect([closenessOf(prompt, other), closenessOf(other, prompt)]).toEqual([closeness, closeness]);
  });
});

describe('what the rules leave open', () => {
  const seen: string[] = [];
  /** Reads the log-odds from the other prompt itself. */
  const model = {
    async read(first: string, second: string) {
      seen.push(`${first} / ${second}`);
      return second === 'unreadable' ? null : Number(second);
    },
  };
  const thresholds = { close: 3, reworded: 1 };
  const read = async (all: boolean, ...others: readonly string[]) => {
    seen.length = 0;
    const pairs = { pairs: others.map((other) => pairOf('a', other)), thresholds, all };
    return (await readPairs(model, pairs, 60_000)).map(({ logit }) => logit);
  };

  test('is read in the turns of the user, joined as in training', async () => {
    const both: PairsToRead['pairs'] = [
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ];
    const pairs = { pairs: both, thresholds, all: false };
    await readPairs(model, pairs, 60_000);
    expect(seen).toEqual(['a || b / 1 || 2']);
  });

  test('needs less where both have words of their own', async () => {
    const pairs = { pairs: [pairOf('one two three', '2 4 5 6')], thresholds, all: false };
    const sure = {
      async read() {
        return 2;
      },
    };
    expect((await readPairs(sure, pairs, 60_000)).map(comparisonOf)).toEqual([
      { agreement: 'same', probability: expect.closeTo(0.88, 2) },
    ]);
  });

  test('is read for the most similar one only, unless all matter', async () => {
    expect(await read(false, '1', '9', '9')).toEqual([1, null, null]);
    expect(seen).toHaveLength(1);
    expect(await read(false, 'unreadable', '9')).toEqual([null, null]);
    expect(await read(true, '1', '3', '9')).toEqual([1, 3, 9]);
  });

  test('is not read when the time is over', async () => {
    const pairs = { pairs: [pairOf('a', '9'), pairOf('a', '9')], thresholds, all: true };
    expect(await readPairs(model, pairs, -1)).toEqual([
      { logit: null, least: 3 },
      { logit: null, least: 3 },
    ]);
  });

  test('is the same from the threshold on, open a little below it, and different where the model doubts', () => {
    expect([3, 2.9, 0, null].map((logit) => comparisonOf({ logit, least: 3 }))).toEqual([
      { agreement: 'same', probability: expect.closeTo(0.953, 3) },
      { agreement: 'unsure', probability: expect.closeTo(0.948, 3) },
      { agreement: 'different', probability: 0.5 },
      { agreement: 'unsure' },
    ]);
  });
});

describe('what the rules align', () => {
  const thresholds = { aligned: 2, close: 5, reworded: 5 };
  /** Reads the log-odds from the other prompt itself. */
  const model = {
    async read(_first: string, second: string) {
      return second === 'unreadable' ? null : Number(second);
    },
  };
  const agreements = async (
    ruled: readonly Ruling[],
    others: readonly string[],
    by: Thresholds | null = thresholds,
  ) => {
    const all = ruled.map((ruling, at) => ({ ruling, pair: pairOf('a', others[at] ?? '') }));
    const read = (open: PairsToRead) => readPairs(model, open, 60_000);
    const compared = await readOpen(read, all, { thresholds: by, all: false });
    return compared.map(({ agreement }) => agreement);
  };

  test('is the same if the model is sure enough, which takes less than without the rules', async () => {
    expect(await agreements(['aligned'], ['2'])).toEqual(['same']);
    expect(await agreements(['unsure'], ['4.9'])).toEqual(['unsure']);
  });

  test.each([
    ['1.9', 'unsure'],
    ['0', 'different'],
    ['unreadable', 'unsure'],
  ])('is not the same if the model doubts it or cannot read it: of %s it is %s', async (other, agreement) => {
    expect(await agreements(['aligned'], [other])).toEqual([agreement]);
  });

  test('is not the same unread: beside what is the same, or where the model is never sure enough', async () => {
    expect(await agreements(['aligned', 'same'], ['9', '9'])).toEqual(['unsure', 'same']);
    expect(await agreements(['aligned'], ['9'], null)).toEqual(['unsure']);
  });

  test('comes before what they leave open', async () => {
    expect(await agreements(['unsure', 'aligned'], ['9', '9'])).toEqual(['unsure', 'same']);
    expect(await agreements(['unsure', 'aligned'], ['9', '1'])).toEqual(['same', 'unsure']);
  });
});

describe('the model', () => {
  const reader = new PairReader();
  afterAll(() => reader.close());
  const read = async (first: string, ...others: readonly string[]) => {
    const thresholds = { close: -NEVER, reworded: -NEVER };
    const pairs = { pairs: others.map((other) => pairOf(first, other)), thresholds, all: true };
    return (await reader.read(pairs, { readMs: PATIENT.compareMs })).map(({ logit }) => logit);
  };
  const first = 'How do I reset the password of my mailbox?';
  const second = 'i forgot the password of my mailbox, how can I get a new one?';

  test('takes a paraphrase rather for the same than a question about something else', async () => {
    const [same, other] = await read(first, second, 'How do I bake bread without yeast?');
    expect(same).toBeGreaterThan(other ?? Number.POSITIVE_INFINITY);
  });

  test('estimates the same for both orders of two prompts', async () => {
    const [[there], [back]] = await Promise.all([read(first, second), read(second, first)]);
    expect(there).toBeCloseTo(back ?? Number.NaN, 5);
  });

  test('estimates the same whatever else it reads', async () => {
    const [alone] = await read(first, second);
    expect((await read(first, 'Why?', second)).at(1)).toBe(alone);
  });

  test('does not estimate what it cannot read: too long, in unknown letters, or with a mark', async () => {
    const long = `${first} ${'and then tell me what else there is to do about it '.repeat(12)}`;
    expect(await read(first, long, `${first} 東京`, `${first} [SEP] ${second}`)).toEqual([null, null, null]);
  });

  test('is not asked where rules decide alone', async () => {
    const rules = createThreadedVerifier(PATIENT, 'rules');
    expect(await rules.compare([first], [[second]], { acceptedFalseHits: 0.05 })).toEqual([
      { agreement: expect.any(String) },
    ]);
    await rules.close();
  });
});
