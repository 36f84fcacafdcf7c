/** Schemas of every draft that vendors accept, and schemas that are written to keep others waiting. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { ThreadedOutputChecker } from '../../../engine/output/threaded-output-checker.ts';

const checker = new ThreadedOutputChecker();
afterAll(() => checker.close());

const check = (schema: Record<string, unknown> | undefined, value: unknown) =>
  checker.check('acme', { schema }, JSON.stringify(value));
const unfit = (path: string, message: string) => ({
  result: 'unfit',
  faults: [{ path, message: expect.stringContaining(message) }],
});

const draft = (name: string) => `http://json-schema.org/${name}/schema`;

describe('a schema', () => {
  test.each([
    [
      '2020-12',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] },
      [1],
    ],
    [
      '2019-09',
      { $schema: 'https://json-schema.org/draft/2019-09/schema', items: [{ type: 'string' }] },
      [1],
    ],
    ['draft 7', { $schema: `${draft('draft-07')}#`, items: [{ type: 'string' }] }, [1]],
    ['draft 6', { $schema: draft('draft-06'), items: { const: 'a' } }, [1]],
    ['draft 4', { $schema: `${draft('draft-04')}#`, items: { minimum: 1, exclusiveMinimum: true } }, [1]],
    ['no draft, with the tuples of old ones', { items: [{ type: 'string' }] }, [1]],
    ['no draft, with the bounds of draft 4', { items: { minimum: 1, exclusiveMinimum: true } }, [1]],
    [
      'a draft that is unknown',
      { $schema: 'https://example.com/mine', prefixItems: [{ type: 'string' }] },
      [1],
    ],
  ])('of %s is checked by its rules', async (_name, schema, value) => {
    expect(await check(schema, value)).toMatchObject({ result: 'unfit', faults: [{ path: '/0' }] });
    expect(await check(schema, [])).toEqual({ result: 'fits' });
  });

  test('names the place of every fault, and what it allows', async () => {
    const schema = {
      type: 'object',
      properties: { size: { enum: ['s', 'm'] }, at: { type: 'string', format: 'date-time' } },
      required: ['size'],
      additionalProperties: false,
    };
    expect(await check(schema, { size: 'xl' })).toEqual(unfit('/size', 'allowed values: ["s","m"]'));
    expect(await check(schema, { size: 's', at: 'noon' })).toEqual(unfit('/at', 'format "date-time"'));
    expect(await check(schema, { size: 's', colour: 1 })).toEqual(unfit('', 'properties: "colour"'));
    expect(await check(schema, {})).toEqual(unfit('', "required property 'size'"));
  });

  test('asks for properties that the answer has itself, and takes the patterns that vendors take', async () => {
    expect(await check({ required: ['toString'] }, {})).toEqual(unfit('', "'toString'"));
    expect(await check({ type: 'string', pattern: '^[\\w\\_]+$' }, 'a-b')).toEqual(unfit('', 'pattern'));
  });

  test('cannot refer to the schema of another request', async () => {
    const inner = { $id: 'https://example.com/inner', type: 'string' };
    expect(await check({ $defs: { inner }, $ref: inner.$id }, 'a')).toEqual({ result: 'fits' });
    expect(await checker.faultOfSchema('other', { $ref: inner.$id })).toMatch(/can't resolve reference/);
  });

  test('that is none says why', async () => {
    expect(await checker.faultOfSchema('acme', { type: 'strng' })).toMatch(/^\/type must be equal/);
    expect(await checker.faultOfSchema('acme', { $ref: '#/$defs/none' })).toMatch(/can't resolve/);
    expect(await checker.faultOfSchema('acme', { type: 'object' })).toBeNull();
  });
});

test('without a schema any JSON fits, and nothing else', async () => {
  expect(await check(undefined, [1])).toEqual({ result: 'fits' });
  expect(await checker.check('acme', {}, 'Sure: {}')).toEqual(unfit('', 'is not JSON'));
});

describe('a schema that is written to cost much', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 40 }, (_, level) => {
      const next = { $ref: `#/$defs/d${level + 1}` };
      return [`d${level}`, { allOf: [next, next] }];
    }),
  );
  const hostile: Record<string, Record<string, unknown>> = {
    'a pattern': { type: 'string', pattern: '^(a+)+$' },
    'definitions that double': { $ref: '#/$defs/d0', $defs: { ...doubling, d40: {} } },
  };
  const text = JSON.stringify(`${'a'.repeat(60)}b`);

  /** Whether another tenant gets its answers while the check of the hostile one runs. */
  async function isServedBeside(
    schema: Record<string, unknown> | undefined,
    runMs: number,
  ): Promise<boolean> {
    const limited = new ThreadedOutputChecker({ runMs, slowRunMs: 4 * runMs });
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    limited.check('mallory', { schema }, text).then(end, end);
    const results: string[] = [];
    for (let answer = 0; answer < 5; answer += 1) {
      results.push((await limited.check('acme', { schema: { type: 'integer' } }, '1')).result);
    }
    const isServed = !isOver && results.every((result) => result === 'fits');
    await limited.close();
    return isServed;
  }

  test('delays no other tenant', async () => {
    // The first thread is lost once; from then on the tenant has the other one. A busy machine needs more time.
    for (const runMs of [500, 4_000, 20_000]) if (await isServedBeside(hostile['a pattern'], runMs)) return;
    throw new Error('another tenant always waits for the hostile one');
  });

  test.each(Object.keys(hostile))('is an error that says so: %s', async (name) => {
    const limited = new ThreadedOutputChecker({ runMs: 100, slowRunMs: 100 });
    expect(await limited.check('mallory', { schema: hostile[name] }, text)).toEqual({
      result: 'unchecked',
      reason: expect.stringContaining('did not answer within 100 ms'),
    });
    await limited.close();
  });

  test('that refers to itself without an end is one', async () => {
    const verdict = await check({ $ref: '#' }, 1);
    expect(verdict).toMatchObject({ result: 'unchecked', reason: expect.stringContaining('call stack') });
  });
});
