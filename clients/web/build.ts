/**
 * Builds the page into clients/web/dist, unless the same sources are built already. `npm start` and the tests of the
 * page call it; by hand: `node clients/web/build.ts`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILT = join(import.meta.dirname, 'dist');
const ENTITIES = 'decode-named-character-reference';
const STAMP = 'sources-sha256';
/** All inputs of the page. */
const SOURCES = [
  'clients/web/index.html',
  'clients/web/build.ts',
  'clients/web/src',
  'clients/typescript',
  'contracts',
  'package-lock.json',
];

/** @returns false if the page was up to date. */
export async function buildPage(): Promise<boolean> {
  const sourcesHash = hashOfSources();
  const isFresh = () =>
    existsSync(join(BUILT, STAMP)) && readFileSync(join(BUILT, STAMP), 'utf8') === sourcesHash;
  if (isFresh()) return false;
  const { build } = await import('vite');
  const unfinished = `${BUILT}.${process.pid}`;
  try {
    await build({
      configFile: false,
      root: import.meta.dirname,
      logLevel: 'warn',
      // The page must depend on its sources alone, not on the environment: neither on its files nor on NODE_ENV, which
      // would put the path of each source into the page.
      envDir: false,
      // The parser of Markdown decodes entities by innerHTML in browsers, which the page's security policy forbids.
      // Node's condition has a table in its place.
      resolve: { alias: { [ENTITIES]: fileURLToPath(import.meta.resolve(ENTITIES)) } },
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
      build: { outDir: unfinished, target: 'es2022', assetsInlineLimit: 0, modulePreload: false },
    });
    writeFileSync(join(unfinished, STAMP), sourcesHash);
    // Renaming makes the page appear whole or not at all. A concurrent build of the same sources may come first.
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
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(join('clients', 'typescript', 'dist')))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

if (import.meta.main) await buildPage();
