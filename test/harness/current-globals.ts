/** What `@jest/globals` exports: the functions of the suite that runs, also for helpers that were loaded before it. */
import type * as Globals from '@jest/globals';
// That of Jest belongs to another context, where `expect.any(Number)` is no number of ours.
import { expect as matchers } from 'expect';

type Name = 'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'it' | 'jest' | 'test';

let current: Pick<typeof Globals, Name>;

export function setCurrentGlobals(globals: Pick<typeof Globals, Name>): void {
  current = globals;
}

export const expect = matchers;
export const afterAll = currentOf('afterAll');
export const afterEach = currentOf('afterEach');
export const beforeAll = currentOf('beforeAll');
export const beforeEach = currentOf('beforeEach');
export const describe = currentOf('describe');
export const it = currentOf('it');
export const jest = currentOf('jest');
export const test = currentOf('test');

function currentOf<Key extends Name>(name: Key): (typeof Globals)[Key] {
  return new Proxy((() => undefined) as never, {
    apply: (_function, _this, args) => Reflect.apply(current[name] as never, undefined, args),
    get: (_function, key) => Reflect.get(current[name], key),
  });
}
