/** Fields of the vendors' requests, sent through the product: what reaches the provider is what the table says. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkAllFields } from '../../harness/fields/check-all.ts';
import { reachableObjects } from '../../harness/fields/examples.ts';
import { FORMATS, UPSTREAMS, type Upstream } from '../../harness/fields/formats.ts';
import { differences, readTable } from '../../harness/fields/table.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** Each type goes to one provider of several; `npm run prove -- fields` sends each to all. */
function oneProviderEach(): (object: string, upstream: Upstream) => boolean {
  const names = [
    ...new Set(FORMATS.flatMap(({ root }) => reachableObjects(root).map(({ object }) => object.name))),
  ];
  const upstreams = Object.keys(UPSTREAMS);
  return (object, upstream) => names.indexOf(object) % upstreams.length === upstreams.indexOf(upstream);
}

test('each field reaches the provider, or the caller learns that it does not', async () => {
  const isChosen = oneProviderEach();
  const roots = FORMATS.map(({ root }) => root.name);
  const expected = readTable();
  const checked = await checkAllFields(stack, {
    isWanted: (object, upstream) => roots.includes(object) || isChosen(object, upstream),
    expected,
  });
  expect(differences(expected, checked)).toEqual([]);
}, 900_000);
