/** `npm run prove -- packages`: what ships with the packages, its licences, and the advisories against it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { countLicences, licenceFaults } from '../../tools/package/licences.ts';
import { shipmentOfProduct } from '../../tools/package/shipped-packages.ts';
import { createSboms } from '../../tools/package/write-sboms.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';

interface PackagesPlan {
  /** Where the bills of materials are written. */
  readonly folder: string;
  /** Whether a registry that answers no audit is a failure, as before a release. */
  readonly mustAudit: boolean;
}

/** Advisories that do not affect the product, by their URL: why not. docs/security.md repeats them. */
const EXPLAINED: Readonly<Record<string, string>> = {};

const auditSchema = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      severity: z.string(),
      via: z.array(z.union([z.string(), z.looseObject({ title: z.string(), url: z.string() })])),
    }),
  ),
});

/** Resolves with whether all of it is in order. */
export function provePackages({ folder, mustAudit }: PackagesPlan): boolean {
  const { direct, all } = shipmentOfProduct();
  console.log(`${all.length} packages ship with unbroken, ${direct.length} of them because we name them`);
  for (const [licence, count] of countLicences(all)) console.log(`${String(count).padStart(6)}  ${licence}`);
  const faults = licenceFaults(all);
  mkdirSync(folder, { recursive: true });
  for (const [name, bom] of createSboms()) {
    writeFileSync(join(folder, name), `${JSON.stringify(bom, null, 2)}\n`);
    console.log(`wrote ${join(folder, name)}: ${bom.components.length} packages`);
  }
  faults.push(...auditFaults(mustAudit));
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(`${faults.length} faults`);
  return faults.length === 0;
}

function auditFaults(mustAudit: boolean): string[] {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
  });
  const answer: unknown = stdout === '' ? {} : JSON.parse(stdout);
  const audit = auditSchema.safeParse(answer);
  if (!audit.success) {
    const reason = z.object({ message: z.string() }).safeParse(answer).data?.message ?? 'no answer';
    console.log(`audit: NOT CHECKED, because the registry has no advisories for us (${reason})`);
    return mustAudit ? ['the advisories were not checked'] : [];
  }
  const found = Object.entries(audit.data.vulnerabilities).flatMap(([name, { severity, via }]) =>
    via.flatMap((advisory) => (typeof advisory === 'string' ? [] : [{ name, severity, ...advisory }])),
  );
  for (const { name, severity, url } of found) console.log(`audit: ${severity} in ${name}: ${url}`);
  console.log(`audit: ${found.length} advisories`);
  return found
    .filter(({ url }) => EXPLAINED[url] === undefined)
    .map(({ name, title, url }) => `${name}: ${title} (${url}): update it, or explain it`);
}
