/**
 * Compiles the product into dist/, as the npm package and the image have it: JavaScript in the tree of the clone,
 * because Node runs no TypeScript below node_modules. `npm pack` calls it; by hand: `node tools/package/build.ts`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { buildPage } from '../../clients/web/build.ts';
import { writeBundles } from '../../worker/bundle-workflows.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILT = join(ROOT, 'dist');
/** Where workers that start in the clone keep the bundles of the same workflows. */
const DATA_DIR = process.env['UNBROKEN_DATA_DIR'] ?? join(ROOT, '.unbroken');
/** What the compiled programs read at run time. */
const ASSETS = [
  'engine/cache/pair-model/weights',
  'engine/embedding/weights',
  'clients/web/dist',
  'docs/dist',
  'docs/errors',
  'tools/simulator/rules/types',
  'unbroken.config.example.yaml',
  'unbroken.config.schema.json',
  'unbroken.pipeline.schema.json',
];

const LOCAL_IMPORT = /\b(?:from|import|import\()\s*'(\.[^']+)'/g;

/** Of the package of ONNX Runtime for browsers, whose other builds have 120 MB. */
const WEB_ASSEMBLY = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'];

async function build(): Promise<void> {
  // It appears whole or not at all: a build that fails must not leave half a package.
  const unfinished = `${BUILT}.${process.pid}`;
  try {
    await buildPage();
    execFileSync(process.execPath, [join(ROOT, 'tools', 'docs', 'build.ts')], { stdio: 'inherit' });
    compile(unfinished);
    await writeBundles(join(unfinished, 'worker'), DATA_DIR);
    for (const asset of ASSETS) cpSync(join(ROOT, asset), join(unfinished, asset), { recursive: true });
    for (const name of WEB_ASSEMBLY) {
      const place = join(unfinished, 'engine', 'embedding', 'onnxruntime-web', name);
      cpSync(join(ROOT, 'node_modules', 'onnxruntime-web', 'dist', name), place);
    }
    rmSync(BUILT, { recursive: true, force: true });
    renameSync(unfinished, BUILT);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * The compiler gets the list of the files and resolves no import: of the packages it would read 3,000 files of types,
 * which change nothing in the JavaScript. `npm run check` checks the types.
 */
function compile(folder: string): void {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(folder, 'tsconfig.json');
  const extended = join(ROOT, 'tools', 'package', 'tsconfig.json');
  const options = { noResolve: true, types: [], rootDir: ROOT, outDir: folder };
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    project,
    JSON.stringify({ extends: extended, compilerOptions: options, files: sourcesFrom(extended) }),
  );
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit' });
  rmSync(project);
}

/** The entry points that are listed in the settings of the compiler, and all of ours that they import. */
function sourcesFrom(settings: string): string[] {
  const { files } = z
    .object({ files: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(settings, 'utf8')));
  const sources = new Set(files.map((path) => join(dirname(settings), path)));
  // The set grows meanwhile.
  for (const source of sources)
    for (const [, path = ''] of readFileSync(source, 'utf8').matchAll(LOCAL_IMPORT))
      sources.add(join(dirname(source), path));
  return [...sources];
}

await build();
