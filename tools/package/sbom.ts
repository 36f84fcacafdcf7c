/** The software bill of materials of a package, in CycloneDX 1.5: what npm writes for the lock, cut to what ships. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { licenceOf } from './licences.ts';
import type { Shipment, ShippedPackage } from './shipped-packages.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAX_BYTES = 64 * 1024 ** 2;

const componentSchema = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  scope: z.string().optional(),
  licenses: z.array(z.looseObject({})).optional(),
});
const bomSchema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  metadata: z.looseObject({ component: componentSchema }),
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});

export type Bom = z.output<typeof bomSchema>;

interface Subject {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly type: 'application' | 'library';
}

/** Reads the lock, and needs no network. */
export function createSbom(subject: Subject, { direct, all }: Shipment): Bom {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const written = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: MAX_BYTES });
  const bom = bomSchema.parse(JSON.parse(written));
  const byRef = new Map(all.map((entry) => [refOf(entry), entry]));
  const components = bom.components.flatMap((component) => {
    const entry = byRef.get(component['bom-ref']);
    // npm calls the packages that are built in optional, because they are installed for development only.
    return entry === undefined
      ? []
      : [{ ...component, scope: 'required', ...statedLicence(component, entry) }];
  });
  if (components.length !== all.length)
    throw new Error(`npm lists ${components.length} of the ${all.length} packages of ${subject.name}`);
  const { name, version, description, type } = subject;
  const ref = refOf(subject);
  const component = {
    ...bom.metadata.component,
    'bom-ref': ref,
    name,
    version,
    description,
    type,
    purl: purlOf(subject),
  };
  const rest = bom.dependencies
    .filter((entry) => byRef.has(entry.ref))
    .map((entry) => ({ ref: entry.ref, dependsOn: entry.dependsOn.filter((other) => byRef.has(other)) }));
  return {
    ...bom,
    metadata: { ...bom.metadata, component },
    components,
    dependencies: [{ ref, dependsOn: direct.map(refOf) }, ...rest],
  };
}

/** Where the package.json has no licence, the one of its LICENSE file. */
function statedLicence({ licenses = [] }: Bom['components'][number], entry: ShippedPackage): object {
  const licence = licenceOf(entry);
  return licenses.length > 0 || licence === undefined ? {} : { licenses: [{ license: { id: licence } }] };
}

function refOf({ name, version }: Pick<Subject, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

function purlOf({ name, version }: Subject): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
