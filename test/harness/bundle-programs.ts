/** Makes the programs of bundled-programs.ts. Their modules still see the folders of the clone. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { birthOf } from '../../tools/services/pid-file.ts';
import { nameOf, PROGRAMS } from './bundled-programs.ts';

/** Which `new Worker` in those starts. */
const THREADS = [
  'engine/cache/verifier-thread.ts',
  'engine/cache/pair-model/pair-model-thread.ts',
  'engine/compression/compression-thread.ts',
  'engine/embedding/embedding-thread.ts',
  'engine/leases/lease-thread.ts',
  'engine/output/schema-thread.ts',
];
/** Loaded from node_modules: they load their own files by path, or must be the same module everywhere. */
const EXTERNAL = [/^@temporalio\//, /^@opentelemetry\//, /^onnxruntime-/];

/** @returns the folder of the programs, which the caller removes. */
export async function bundlePrograms(root: string, dataDir: string): Promise<string> {
  mkdirSync(dataDir, { recursive: true });
  removeLeftovers(dataDir);
  const folder = mkdtempSync(join(dataDir, `programs-${process.pid}-`));
  try {
    const bundle = await rolldown({
      input: Object.fromEntries([...PROGRAMS, ...THREADS].map((path) => [nameOf(path), join(root, path)])),
      cwd: root,
      platform: 'node',
      external: EXTERNAL,
      plugins: [inPlace(folder)],
      logLevel: 'silent',
    });
    await bundle.write({ dir: folder, entryFileNames: '[name].mjs' });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** Those of runs that were killed. */
function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    const [, pid] = /^programs-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && birthOf(Number(pid)) === undefined)
      rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

/** A module finds its files beside its source, and its threads beside the programs. */
function inPlace(folder: string): Plugin {
  return {
    name: 'in-place',
    transform(code, id) {
      if (!/\bimport\.meta\.|\b__dirname\b/.test(code)) return null;
      const places = { dirname: dirname(id), filename: id, url: pathToFileURL(id).href };
      return code
        .replace(
          /new URL\('\.\/([\w-]+-thread)\.ts', import\.meta\.url\)/g,
          (_, name) => `new URL('${pathToFileURL(join(folder, `${name}.mjs`)).href}')`,
        )
        .replace(/\bimport\.meta\.(dirname|filename|url)\b/g, (_, place) =>
          JSON.stringify(places[place as keyof typeof places]),
        )
        .replace(/\b__dirname\b/g, JSON.stringify(places.dirname));
    },
  };
}
