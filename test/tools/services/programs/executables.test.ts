import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { cachedProgram } from '../../../../tools/services/programs/executables.js';

const cache = mkdtempSync(join(tmpdir(), 'unbroken-cache-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

const placeOf = (folder: string) => ({ folder, program: 'program', env: { UNBROKEN_CACHE_DIR: cache } });
const make = (content: string) => async (workshop: string) => {
  const path = join(workshop, 'fetched');
  writeFileSync(path, content, { mode: 0o755 });
  return path;
};

test('a program is fetched once, and nothing but it is left in the cache', async () => {
  const path = await cachedProgram(placeOf('once'), make('first'));
  expect(await cachedProgram(placeOf('once'), make('second'))).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('first');
  expect(readdirSync(join(cache, 'once'))).toEqual(['program']);
});

test('two processes that fetch at once both get a whole program', async () => {
  const [first, second] = await Promise.all([
    cachedProgram(placeOf('twice'), make('same')),
    cachedProgram(placeOf('twice'), make('same')),
  ]);
  expect([first, readFileSync(second, 'utf8')]).toEqual([second, 'same']);
});

test('a fetch that fails leaves nothing behind, and the next one is tried', async () => {
  const broken = async (workshop: string) => {
    await make('half')(workshop);
    throw new Error('the network is gone');
  };
  await expect(cachedProgram(placeOf('broken'), broken)).rejects.toThrow('the network is gone');
  expect(readdirSync(join(cache, 'broken'))).toEqual([]);
  expect(readFileSync(await cachedProgram(placeOf('broken'), make('whole')), 'utf8')).toBe('whole');
});

test('what a killed fetch left is removed after an hour, and one that may still run is left alone', async () => {
  const home = join(cache, 'killed');
  const [old, young] = [join(home, 'fetch-old'), join(home, 'fetch-young')];
  for (const folder of [old, young]) mkdirSync(folder, { recursive: true });
  const twoHoursAgo = Date.now() / 1_000 - 7_200;
  utimesSync(old, twoHoursAgo, twoHoursAgo);
  await cachedProgram(placeOf('killed'), make('program'));
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});
