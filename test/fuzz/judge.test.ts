/** The judges themselves: each must be able to say no. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { routesOfApp } from './app-routes.ts';
import { type FuzzAnswer, judge } from './ask-api.ts';
import { nearly, toJson } from './bad-json.ts';
import { tryInputs } from './inputs.ts';
import { goodBodies } from './route-bodies.ts';

const json = { 'content-type': 'application/json; charset=utf-8' };
const answer = (status: number, error: object, headers: FuzzAnswer['headers'] = json): FuzzAnswer => ({
  status,
  headers,
  body: JSON.stringify({ error }),
});
const known = { code: 'not_found', message: 'no', doc: '/docs/errors/not_found' };

describe('the judge of answers', () => {
  test.each<[string, FuzzAnswer | null, string | null]>([
    ['takes an error of the table', answer(404, known), null],
    [
      'takes a fault of a provider',
      answer(502, { ...known, code: 'provider_auth', doc: '/docs/errors/provider_auth' }),
      null,
    ],
    ['finds no answer', null, 'no answer'],
    [
      'finds a 500',
      answer(500, { ...known, code: 'internal', doc: '/docs/errors/internal' }),
      'a fault of ours',
    ],
    ['finds an error that is not JSON', answer(404, known, { 'content-type': 'text/html' }), 'not JSON'],
    ['finds a code that nobody knows', answer(404, { ...known, code: 'oops' }), 'known code'],
    ['finds a code with the status of another', answer(400, known), 'in the table'],
    ['finds an error that leads nowhere', answer(404, { ...known, doc: '/docs' }), 'no page'],
    ['finds an error without words', answer(404, { ...known, message: '' }), 'without a message'],
    ['finds what is of another tenant', answer(200, { of: 'secret-of-b' }), 'another tenant'],
    [
      'finds a stack',
      answer(404, { ...known, message: 'Error\n    at x (/a/node_modules/b.js:1:1)' }),
      'a stack',
    ],
  ])('%s', (_what, input, found) => {
    const verdict = judge(input, 'GET', ['secret-of-b']);
    if (found === null) expect(verdict).toBeNull();
    else expect(verdict).toContain(found);
  });
});

test('a failing input is found, made small, and reported with what repeats it', async () => {
  const isLarge = (value: number) => (value > 9 ? `${value} is large` : null);
  const report = await tryInputs('digits', fc.nat({ max: 999 }), { seed: 5, inputs: 200 }, isLarge);
  expect(report.failures).toHaveLength(1);
  expect(report.failures[0]).toMatch(/^digits \(seed 5, path [\d:]+\): 10 is large\n {2}input: 10$/);
});

test('every route of the app is tried, and for each that takes a body it is known which', () => {
  const routes = routesOfApp();
  expect(routes.length).toBeGreaterThan(50);
  expect(routes).toContainEqual({ method: 'POST', path: '/v1/chat/completions' });
  expect(() => routes.map(goodBodies)).not.toThrow();
  expect(() => goodBodies({ method: 'POST', path: '/v1/new' })).toThrow('route-bodies.ts');
});

test('what is nearly right holds keys and numbers that JSON.stringify does not write', () => {
  const texts = fc
    .sample(nearly(fc.constant({ a: [1, { b: 'c' }] })), { seed: 1, numRuns: 2_000 })
    .map(toJson);
  for (const part of ['"__proto__":', '1e999', '-0', '\\ud800', '"a":']) {
    expect(texts.filter((text) => text.includes(part)).length).toBeGreaterThan(0);
  }
  expect(texts).toContain('{"a":[1,{"b":"c"}]}');
});
