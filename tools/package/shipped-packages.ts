/**
 * The npm packages that users get with the product: its dependencies, and what is built into the page and the
 * documentation site, which are development dependencies of the clone.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE_SOURCES = ['clients/web/src/**/*.{ts,tsx}', 'clients/typescript/!(build).ts', 'contracts/*.ts'];
/** What VitePress puts into a site; its other dependencies only build it. */
const IN_DOCS_SITE = [
  '@vueuse/core',
  '@vueuse/integrations',
  'focus-trap',
  'mark.js',
  'minisearch',
  'vitepress',
  'vue',
];
/** Copied into the package: ONNX Runtime in WebAssembly. */
const COPIED = ['onnxruntime-web'];
/** The name of the package, without what follows it; Node's own modules have a colon. */
const BARE_IMPORT = /(?:from |import\()'((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[^']*)?'/g;
const BUILDS_SITE = 'vitepress';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dependencies: z.record(z.string(), z.string()).default({}),
      /** Only for development. */
      dev: z.boolean().default(false),
      /** For development, or an optional dependency that npm need not install. */
      devOptional: z.boolean().default(false),
    }),
  ),
});

type Lock = z.output<typeof lockSchema>['packages'];

export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as the package states it; undefined where its package.json has none. */
  readonly licence: string | undefined;
}

export interface Shipment {
  /** Those that a package depends on directly, or that are built into it. */
  readonly direct: readonly ShippedPackage[];
  /** With all that these depend on. */
  readonly all: readonly ShippedPackage[];
}

/** Of `unbroken`, sorted: those that npm installs, and those that are built in. */
export function shipmentOfProduct(): Shipment {
  const lock = readLock();
  const installed = Object.entries(lock)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path);
  const builtIn = [...importsOfPage(), ...IN_DOCS_SITE, ...COPIED];
  const direct = new Set([...Object.keys(lock['']?.dependencies ?? {}), ...builtIn]);
  return {
    direct: packagesAt([...direct].map(topLevel), lock),
    all: packagesAt([...installed, ...withDependencies(builtIn, lock)], lock),
  };
}

/** Of a package that depends on these. */
export function shipmentOf(names: readonly string[]): Shipment {
  const lock = readLock();
  return {
    direct: packagesAt(names.map(topLevel), lock),
    all: packagesAt(withDependencies(names, lock), lock),
  };
}

function topLevel(name: string): string {
  return `node_modules/${name}`;
}

function readLock(): Lock {
  return lockSchema.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))).packages;
}

/** One for each name and version, though the lock may have it in several places. */
function packagesAt(paths: Iterable<string>, lock: Lock): ShippedPackage[] {
  const shipped = new Map<string, ShippedPackage>();
  for (const path of paths) {
    const { version = '', license } = lock[path] ?? {};
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    shipped.set(`${name}@${version}`, { name, version, licence: license });
  }
  return [...shipped.keys()].sort().flatMap((key) => shipped.get(key) ?? []);
}

/** Their places in the lock. */
function withDependencies(names: readonly string[], lock: Lock): Set<string> {
  const found = new Set<string>();
  const pending = names.map((name) => ({ name, from: '' }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { name, from } = next;
    const path = resolveInLock(name, from, lock);
    if (path === undefined) throw new Error(`package-lock.json has no ${name} for ${from || 'the project'}`);
    if (found.has(path)) continue;
    found.add(path);
    const dependencies = name === BUILDS_SITE ? [] : Object.keys(lock[path]?.dependencies ?? {});
    for (const dependency of dependencies) pending.push({ name: dependency, from: path });
  }
  return found;
}

/** As Node does: in the node_modules of the package itself, then of each folder above. */
function resolveInLock(name: string, from: string, lock: Lock): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (Object.hasOwn(lock, path)) return path;
    if (folder === '') return undefined;
  }
}

/** React is a peer of the client's hook; the page has Preact. */
function importsOfPage(): string[] {
  const sources = globSync(PAGE_SOURCES, { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const names = sources.flatMap((source) => [...source.matchAll(BARE_IMPORT)].map(([, name = '']) => name));
  return [...new Set(names)].filter((name) => name !== 'react');
}
