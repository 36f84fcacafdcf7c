/**
 * Removes from an installed node_modules what the compiled product never loads, and prints what is left:
 *
 *   node tools/package/prune-modules.ts node_modules
 *
 * The image is built with it, after `npm prune --omit=dev`.
 */
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';

/** Dependencies that a package declares and our use of it never loads. */
const NOT_LOADED: Readonly<Record<string, readonly string[]>> = {
  // They bundle workflows, and the product has its bundles.
  '@temporalio/worker': ['@swc/core', 'memfs', 'source-map-loader', 'swc-loader', 'unionfs', 'webpack'],
  // For its install script.
  'onnxruntime-node': ['adm-zip', 'global-agent'],
  // For its types.
  '@qdrant/js-client-rest': ['typescript'],
};
/** Of these, the modules that are required when the worker starts, and used only to bundle. */
const EMPTY_MODULES = ['memfs', 'unionfs', 'webpack'];
/** Node loads none of these: types, sources that were compiled, and source maps. */
const UNLOADED_FILES = new Set(['.ts', '.mts', '.cts', '.map', '.flow', '.tsbuildinfo']);
const NATIVE_CORE = '@temporalio/core-bridge';
const NATIVE_RUNTIME = 'onnxruntime-node';
const BLOCK_BYTES = 512;
const PACKAGES_SHOWN = 12;

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});

function dependenciesOf(folder: string): string[] {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  return Object.values(manifest).flatMap((group) => Object.keys(group));
}

/** As Node resolves it: in the node_modules of the package itself, then of each folder above. */
function resolvePackage(name: string, from: string, root: string): string | undefined {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

/** The folders of all packages that can be loaded from the project in `root`. */
function loadedPackages(root: string): Set<string> {
  const loaded = new Set<string>();
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const unwanted = NOT_LOADED[nameOf(folder)] ?? [];
    for (const name of dependenciesOf(folder)) {
      const found = unwanted.includes(name) ? undefined : resolvePackage(name, folder, root);
      if (found === undefined || loaded.has(found)) continue;
      loaded.add(found);
      pending.push(found);
    }
  }
  return loaded;
}

function nameOf(folder: string): string {
  return folder.split('node_modules/').at(-1) ?? '';
}

function installedPackages(modules: string): string[] {
  return globSync(['*/package.json', '@*/*/package.json'], { cwd: modules }).flatMap((manifest) => {
    const folder = join(modules, dirname(manifest));
    const nested = join(folder, 'node_modules');
    return [folder, ...(existsSync(nested) ? installedPackages(nested) : [])];
  });
}

function removeUnloaded(modules: string): void {
  const loaded = loadedPackages(dirname(modules));
  for (const folder of installedPackages(modules)) {
    // A package may be gone with the one that it was nested in.
    if (!loaded.has(folder) && existsSync(folder)) removePackage(folder, loaded);
  }
  rmSync(join(modules, '.bin'), { recursive: true, force: true });
  for (const name of EMPTY_MODULES) {
    mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(join(modules, name, 'index.js'), 'module.exports = {};\n');
  }
  for (const path of filesIn(modules)) if (UNLOADED_FILES.has(extname(path))) rmSync(path);
}

/** Keeps what is nested in it and still loaded, though npm nests a package only in one that depends on it. */
function removePackage(folder: string, loaded: ReadonlySet<string>): void {
  if ([...loaded].some((other) => other.startsWith(`${folder}/`)))
    throw new Error(`${nameOf(folder)} is not loaded, but a package in it is`);
  rmSync(folder, { recursive: true });
}

/** Keeps the native core of this platform, and drops its Rust sources. */
function removeOtherCores(modules: string): void {
  const folder = join(modules, NATIVE_CORE);
  // Its own rule, which throws where it has no core for this platform.
  const { getPrebuiltPath } = createRequire(import.meta.url)(join(folder, 'common.js'));
  const wanted = basename(dirname(getPrebuiltPath()));
  for (const name of readdirSync(join(folder, 'releases')))
    if (name !== wanted) rmSync(join(folder, 'releases', name), { recursive: true });
  for (const name of ['sdk-core', 'src', 'bridge-macros', 'Cargo.lock', 'Cargo.toml'])
    rmSync(join(folder, name), { recursive: true, force: true });
}

/** Keeps ONNX Runtime for this platform. */
function removeOtherRuntimes(modules: string): void {
  const folder = join(modules, NATIVE_RUNTIME, 'bin');
  const wanted = join(process.platform, process.arch);
  for (const build of globSync('*/*/*', { cwd: folder }))
    if (!build.endsWith(wanted)) rmSync(join(folder, build), { recursive: true });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function megabytes(paths: readonly string[]): number {
  const blocks = paths.reduce((sum, path) => sum + lstatSync(path).blocks, 0);
  return (blocks * BLOCK_BYTES) / 1024 ** 2;
}

function printSizes(modules: string, before: number): void {
  const sizes = installedPackages(modules)
    .filter((folder) => basename(dirname(folder)) !== 'node_modules' || dirname(folder) === modules)
    .map((folder) => ({ name: nameOf(folder), size: megabytes(filesIn(folder)) }))
    .sort((a, b) => b.size - a.size);
  for (const { name, size } of sizes.slice(0, PACKAGES_SHOWN))
    console.log(`${size.toFixed(1).padStart(7)} MB  ${name}`);
  const total = megabytes(filesIn(modules));
  console.log(
    `${total.toFixed(1).padStart(7)} MB  in ${sizes.length} packages; ${before.toFixed(1)} MB before`,
  );
}

const [, , modules] = process.argv;
if (modules === undefined)
  throw new Error('which node_modules? node tools/package/prune-modules.ts <folder>');
const folder = join(process.cwd(), modules);
if (existsSync(join(folder, 'jest')))
  throw new Error('a node_modules for development: first run npm prune --omit=dev');
const before = megabytes(filesIn(folder));
removeUnloaded(folder);
removeOtherCores(folder);
removeOtherRuntimes(folder);
printSizes(folder, before);
