import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  type Calibration,
  leastFalseHits,
  leastLogit,
  readCalibration,
} from '../../../engine/cache/pair-model/calibration.ts';
import { PairReader } from '../../../engine/cache/pair-model/pair-reader.ts';
import { comparisonOf, readPairs } from '../../../engine/cache/pair-model/read-pairs.ts';
import { assertGuaranteed, createThreadedVerifier } from '../../../engine/cache/threaded-verifier.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { PATIENT } from '../../harness/patience.ts';
import { readProjectFile } from '../../house/project-files.ts';

describe('an accepted share of false hits', () => {
  const calibration: Calibration = {
    points: [
      { falseHits: 0.004, logit: 5 },
      { falseHits: 0.02, logit: 2 },
      { falseHits: 0.009, logit: 3 },
    ],
  };

  test.each([
    [0.05, 2],
    [0.02, 2],
    [0.019, 3],
    [0.004, 5],
    [0.0039, null],
  ])('of %p is the threshold %p: the lowest whose guarantee is as strict', (accepted, logit) => {
    expect(leastLogit(calibration, accepted)).toBe(logit);
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

describe('what the rules leave open', () => {
  const seen: string[] = [];
  /** Reads the log-odds from the other prompt itself. */
  const model = {
    async read(first: string, second: string) {
      seen.push(`${first} / ${second}`);
      return second === 'unreadable' ? null : Number(second);
    },
  };
  const read = (all: boolean, ...others: readonly string[]) => {
    seen.length = 0;
    const pairs = { questions: ['a'], others: others.map((other) => [other]), leastLogit: 3, all };
    return readPairs(model, pairs, 60_000);
  };

  test('is read in the turns of the user, joined as in training', async () => {
    const pairs = { questions: ['a', 'b'], others: [['1', '2']], leastLogit: 3, all: false };
    await readPairs(model, pairs, 60_000);
    expect(seen).toEqual(['a || b / 1 || 2']);
  });

  test('is not read after the first that is the same, unless all matter', async () => {
    expect(await read(false, '1', '3', '9')).toEqual([1, 3, null]);
    expect(await read(true, '1', '3', '9')).toEqual([1, 3, 9]);
  });

  test('is read for four of many only, the most similar first', async () => {
    expect(await read(false, 'unreadable', '-1', '-2', '-3', '9')).toEqual([null, -1, -2, -3, null]);
    expect(seen).toHaveLength(4);
  });

  test('is not read when the time is over', async () => {
    const pairs = { questions: ['a'], others: [['9'], ['9']], leastLogit: 3, all: true };
    expect(await readPairs(model, pairs, -1)).toEqual([null, null]);
  });

  test('is the same from the threshold on, open a little below it, and different where the model doubts', () => {
    expect([3, 2.9, 0, null].map((logit) => comparisonOf(logit, 3))).toEqual([
      { agreement: 'same', probability: expect.closeTo(0.953, 3) },
      { agreement: 'unsure', probability: expect.closeTo(0.948, 3) },
      { agreement: 'different', probability: 0.5 },
      { agreement: 'unsure' },
    ]);
  });
});

describe('the model', () => {
  const reader = new PairReader();
  afterAll(() => reader.close());
  const read = (first: string, ...others: readonly string[]) =>
    reader.read(
      { questions: [first], others: others.map((other) => [other]), leastLogit: -100, all: true },
      { readMs: PATIENT.compareMs },
    );
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
