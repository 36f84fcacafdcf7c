/**
 * The order of the suites. By itself jest begins with those that took longest the last time, and in a clean checkout
 * with the largest files; then small files that take minutes come last, and most processors wait for them.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sep } from 'node:path';

// Its types are those of CommonJS, where the class is a field of the module.
type Module = typeof import('@jest/test-sequencer');
const { default: Sequencer }: Module = createRequire(import.meta.url)('@jest/test-sequencer');
type Tests = Parameters<InstanceType<Module['default']>['sort']>[0];

/** Each takes more than half a minute on two cores. */
export const SLOW = [
  'e2e/wires/fields',
  'e2e/product-package',
  'e2e/agents',
  'e2e/wires/clients',
  'e2e/page-books',
  'e2e/jobs',
  'e2e/integrations',
  'e2e/end-path',
  'simulation/simulation',
  'e2e/page',
  'e2e/crash',
  'e2e/jobs-under-kills',
  'e2e/matrix',
  'e2e/edge',
  'engine/providers/long-answers',
  'clients/python/python-client',
  'e2e/webhooks',
  'e2e/upstreams',
  'e2e/vendor-batches',
  'proxies/proxies',
  'contracts/count-tokens',
  'e2e/erasure',
  'e2e/worker-versions',
  'e2e/rolling-restart',
  'e2e/scale-in',
  'workflows/job',
  'workflows/batch',
  'workflows/generation',
  'workflows/vendor-batches',
];

/** Of how many suites the first is a slow one: the others are mostly small, or the machine would only be starting. */
const EVERY = 3;

export default class SlowFirst extends Sequencer {
  override sort(tests: Tests): Tests {
    const slow = SLOW.flatMap((suite) => tests.filter(({ path }) => isSuite(path, suite)));
    const sizes = new Map(tests.map(({ path }) => [path, statSync(path).size]));
    const others = tests
      .filter((test) => !slow.includes(test))
      .sort((left, right) => (sizes.get(right.path) ?? 0) - (sizes.get(left.path) ?? 0));
    const order = slow.flatMap((test, index) => [
      test,
      ...others.slice(index * (EVERY - 1), (index + 1) * (EVERY - 1)),
    ]);
    return [...order, ...others.slice(slow.length * (EVERY - 1))];
  }
}

function isSuite(path: string, suite: string): boolean {
  return path.split(sep).join('/').endsWith(`/test/${suite}.test.ts`);
}
