/**
 * Builds the documentation site into docs/dist, unless the same sources are built already: `npm run docs`. `npm start`
 * does it in the background, after it is ready.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { faultsOfPages } from './check-pages.ts';
import { ALL_PAGES, ROOT } from './site-map.ts';
import { stagePages } from './stage-pages.ts';

const BUILT = join(ROOT, 'docs', 'dist');
/** Its name starts with a dot, so the API does not serve it. */
const STAMP = '.sources-sha256';
const BASE = '/docs/';
/** Beside the pages. */
const SOURCES = [
  'tools/docs',
  'docs/assets',
  'clients/web/src/mark.svg',
  'api/openapi',
  'api/wires/wire-paths.ts',
  'contracts',
  'unbroken.config.example.yaml',
  'unbroken.config.schema.json',
  'unbroken.pipeline.schema.json',
  'package-lock.json',
];

/** @returns false if the site was up to date. */
async function buildDocs(): Promise<boolean> {
  const sourcesHash = hashOfSources();
  const isFresh = () =>
    existsSync(join(BUILT, STAMP)) && readFileSync(join(BUILT, STAMP), 'utf8') === sourcesHash;
  if (isFresh()) return false;
  const unfinished = `${BUILT}.${process.pid}`;
  const outDir = join(unfinished, 'site');
  try {
    stagePages(unfinished);
    const { build } = await import('vitepress');
    await build(unfinished, { outDir });
    const faults = faultsOfPages(outDir, BASE);
    if (faults.length > 0) throw new Error(`the documentation site has faults:\n${faults.join('\n')}`);
    writeFileSync(join(outDir, STAMP), sourcesHash);
    // Renaming makes the site appear whole or not at all. A concurrent build of the same sources may come first.
    rmSync(BUILT, { recursive: true, force: true });
    try {
      renameSync(outDir, BUILT);
    } catch (error) {
      if (!isFresh()) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return true;
}

function hashOfSources(): string {
  const pages = ALL_PAGES.flatMap(({ source }) => (source === undefined ? [] : [source]));
  const hash = createHash('sha256');
  for (const path of [...pages, ...SOURCES.flatMap(filesIn)])
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex');
}

function filesIn(path: string): string[] {
  if (/\.\w+$/.test(path)) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

await buildDocs();
