import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeOnce } from './make-once.ts';
import { waitFor } from './wait-for.ts';

const MAKER = join(import.meta.dirname, 'make-once.ts');
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unbroken-once-'));
  path = join(folder, 'made');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that makes it: it adds a line, and is done when the file `go` is there. */
function startMaker() {
  const script = join(folder, `maker-${Math.random()}.mjs`);
  writeFileSync(
    script,
    `import { appendFileSync, existsSync, renameSync } from 'node:fs';
    import { makeOnce } from ${JSON.stringify(MAKER)};
    await makeOnce(${JSON.stringify(path)}, async () => {
      appendFileSync(${JSON.stringify(`${path}.log`)}, 'x');
      while (!existsSync(${JSON.stringify(join(folder, 'go'))})) await new Promise((next) => setTimeout(next, 5));
      renameSync(${JSON.stringify(`${path}.log`)}, ${JSON.stringify(path)});
    });`,
  );
  return fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] });
}
const isBegun = () => existsSync(`${path}.log`);

test('of several processes one makes it, and the others wait until it is there', async () => {
  const makers = [1, 2, 3].map(startMaker);
  const ended = Promise.all(makers.map((maker) => once(maker, 'exit')));
  await waitFor('the first', isBegun);
  const own = makeOnce(path, async () => writeFileSync(path, 'made here'));
  writeFileSync(join(folder, 'go'), '');
  await own;
  expect((await ended).map(([code]) => code)).toEqual([0, 0, 0]);
  expect(readFileSync(path, 'utf8')).toBe('x');
});

test('a process that is killed in the middle is followed by another', async () => {
  const maker = startMaker();
  await waitFor('the first', isBegun);
  maker.kill('SIGKILL');
  await once(maker, 'exit');
  await makeOnce(path, async () => writeFileSync(path, 'made here'));
  expect(readFileSync(path, 'utf8')).toBe('made here');
});

test('what fails is tried again by the next', async () => {
  await expect(makeOnce(path, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  await makeOnce(path, async () => writeFileSync(path, 'made here'));
  expect(existsSync(path)).toBe(true);
});
