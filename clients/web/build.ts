/**
 * Builds the page into clients/web/dist, unless what is there was made of the same sources. `npm start` and the tests that need
 * the page call it; by hand: `node clients/web/build.ts`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILT = join(import.meta.dirname, 'dist');
const STAMP = 'sources-sha256';
/** All that goes into the page. */
const SOURCES = [
  'clients/web/index.html',
  'clients/web/build.ts',
  'clients/web/src',
  'clients/typescript',
  'contracts',
  'package-lock.json',
];

/** @returns whether it had to be built. */
export async function buildPage(): Promise<boolean> {
  const wanted = hashOfSources();
  const isFresh = () => existsSync(join(BUILT, STAMP)) && readFileSync(join(BUILT, STAMP), 'utf8') === wanted;
  if (isFresh()) return false;
  const { build } = await import('vite');
  const unfinished = `${BUILT}.${process.pid}`;
  try {
    await build({
      configFile: false,
      root: import.meta.dirname,
      logLevel: 'warn',
      // The page is made of its sources alone, not of what the environment holds.
      envDir: false,
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: { outDir: unfinished, target: 'es2022', assetsInlineLimit: 0, modulePreload: false },
    });
    writeFileSync(join(unfinished, STAMP), wanted);
    // It appears whole or not at all; another build of the same sources may be first.
    rmSync(BUILT, { recursive: true, force: true });
    try {
      renameSync(unfinished, BUILT);
    } catch (error) {
      if (!isFresh()) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return true;
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap(filesIn))
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex');
}

function filesIn(path: string): string[] {
  if (/\.\w+$/.test(path)) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

if (import.meta.main) await buildPage();
