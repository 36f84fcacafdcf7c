/**
 * Writes the software bills of materials of the npm packages, as a release attaches them next to the tarballs:
 *
 *   node tools/package/write-sboms.ts <folder>
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Bom, createSbom } from './sbom.ts';
import { shipmentOf, shipmentOfProduct } from './shipped-packages.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  dependencies: z.record(z.string(), z.string()),
});

/** By the name of the file. */
export function createSboms(): Map<string, Bom> {
  const product = readManifest('package.json');
  const client = readManifest('clients/typescript/package.json');
  const boms = [
    createSbom({ ...product, type: 'application' }, shipmentOfProduct()),
    createSbom({ ...client, type: 'library' }, shipmentOf(Object.keys(client.dependencies))),
  ];
  return new Map(boms.map((bom) => [fileOf(bom), bom]));
}

function readManifest(path: string) {
  return manifestSchema.parse(JSON.parse(readFileSync(join(ROOT, path), 'utf8')));
}

/** As npm names the tarball: `unbroken-client-0.2.0`. */
function fileOf({ metadata: { component } }: Bom): string {
  return `${component.name.replace('@', '').replace('/', '-')}-${component.version}.cdx.json`;
}

if (import.meta.main) {
  const [, , folder] = process.argv;
  if (folder === undefined) throw new Error('where to? node tools/package/write-sboms.ts <folder>');
  mkdirSync(folder, { recursive: true });
  for (const [name, bom] of createSboms()) {
    writeFileSync(join(folder, name), `${JSON.stringify(bom, null, 2)}\n`);
    console.log(`${join(folder, name)}: ${bom.components.length} packages`);
  }
}
