import { expect, test } from '@jest/globals';
import { withMethods } from '../../platform/with-methods.ts';

class Counter {
  #count = 0;
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  get count(): number {
    return this.#count;
  }
  reset(): void {
    this.#count = 0;
  }
}

test('a replaced method is called, and the others work on the private fields of the object itself', () => {
  const counter = new Counter();
  const doubled = withMethods(counter, { add: (by) => counter.add(2 * by) });
  expect(doubled.add(3)).toBe(6);
  expect(counter.count).toBe(6);
  expect(doubled.count).toBe(6);
  doubled.reset();
  expect(counter.count).toBe(0);
});
