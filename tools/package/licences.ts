/** The licences of the packages that we ship, against the list of those that an Apache-2.0 product may ship. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import satisfies from 'spdx-satisfies';
import type { ShippedPackage } from './shipped-packages.ts';

/** Permissive, all of them: they ask for their notice to be kept, which each package does in its LICENSE file. */
export const ALLOWED_LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  // caniuse-lite: data, with attribution.
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'Unlicense',
];

/** Packages without a licence in their package.json: what their LICENSE file is, and a sentence of it. */
const IN_FILE: Readonly<Record<string, { readonly licence: string; readonly sentence: string }>> = {
  'cohere-ai': { licence: 'MIT', sentence: 'MIT License' },
  unionfs: {
    licence: 'Unlicense',
    sentence: 'This is free and unencumbered software released into the public domain.',
  },
};

/** What is wrong with the licence of each; none if all are allowed. */
export function licenceFaults(packages: readonly ShippedPackage[]): string[] {
  return packages.flatMap((shipped) => {
    const licence = licenceOf(shipped);
    const label = `${shipped.name}@${shipped.version}`;
    if (licence === undefined) return [`${label}: no licence in its package.json`];
    return isAllowed(licence) ? [] : [`${label}: ${licence} is not on the list`];
  });
}

/** How many packages have each licence, the most frequent first. */
export function countLicences(packages: readonly ShippedPackage[]): [licence: string, count: number][] {
  const counts = new Map<string, number>();
  for (const shipped of packages) {
    const licence = licenceOf(shipped) ?? 'none';
    counts.set(licence, (counts.get(licence) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

export function licenceOf({ name, licence }: ShippedPackage): string | undefined {
  const stated = IN_FILE[name];
  if (licence !== undefined || stated === undefined) return licence;
  const path = join(import.meta.dirname, '..', '..', 'node_modules', name, 'LICENSE');
  return readFileSync(path, 'utf8').includes(stated.sentence) ? stated.licence : undefined;
}

function isAllowed(licence: string): boolean {
  try {
    return satisfies(licence, ALLOWED_LICENCES);
  } catch {
    // It is no SPDX expression, such as `SEE LICENSE IN ...`.
    return false;
  }
}
