/** What holds for all packages of a release: one version, a changelog, allowed licences, a valid SBOM. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { countLicences, licenceFaults } from '../../tools/package/licences.ts';
import { shipmentOfProduct } from '../../tools/package/shipped-packages.ts';
import { createSboms } from '../../tools/package/write-sboms.ts';
import { ROOT, readJson, readProjectFile } from './project-files.ts';

const { version } = z.object({ version: z.string() }).parse(readJson('package.json'));

describe('one version', () => {
  const found = (path: string, pattern: RegExp) => pattern.exec(readProjectFile(path))?.[1];

  test('is in every place that names one', () => {
    const places = {
      'package-lock.json': found('package-lock.json', /"version": "([^"]+)"/),
      'clients/typescript/package.json': found('clients/typescript/package.json', /"version": "([^"]+)"/),
      'clients/python/pyproject.toml': found('clients/python/pyproject.toml', /^version = "([^"]+)"/m),
      'tools/deploy/helm/Chart.yaml': found('tools/deploy/helm/Chart.yaml', /^version: (\S+)/m),
      'its appVersion': found('tools/deploy/helm/Chart.yaml', /^appVersion: (\S+)/m),
      'docker-compose.yml': found('docker-compose.yml', /image: unbroken:(\S+)/),
      'tools/deploy/kubernetes/kustomization.yaml': found(
        'tools/deploy/kubernetes/kustomization.yaml',
        /newTag: (\S+)/,
      ),
    };
    const versions = Object.fromEntries(Object.keys(places).map((path) => [path, version]));
    expect(places).toEqual(versions);
  });
});

describe('CHANGELOG.md', () => {
  const changelog = readProjectFile('CHANGELOG.md');
  const headings = [...changelog.matchAll(/^## \[?([^\]\s]+)\]?(?: - (\S+))?$/gm)];

  test('keeps to Keep a Changelog: unreleased changes first, then versions with dates, newest first', () => {
    expect(headings[0]?.[1]).toBe('Unreleased');
    const dates = headings.slice(1).flatMap(([, , date]) => date ?? []);
    expect(dates.every((date) => /^\d{4}-\d\d-\d\d$/.test(date))).toBe(true);
    expect(dates).toEqual(dates.toSorted().toReversed());
    const kinds = [...changelog.matchAll(/^### (\w+)$/gm)].map(([, kind]) => kind);
    const allowed = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    expect(kinds.filter((kind) => !allowed.includes(kind ?? ''))).toEqual([]);
  });

  test('has the version of the packages', () => {
    expect(headings.map(([, name]) => name)).toContain(version);
  });
});

describe('licences', () => {
  test('of all packages that we ship are on the list', () => {
    const { all } = shipmentOfProduct();
    expect(all.length).toBeGreaterThan(200);
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['express', '@temporalio/core-bridge', 'preact', 'minisearch']),
    );
    expect(licenceFaults(all)).toEqual([]);
    expect(countLicences(all)[0]?.[0]).toBe('MIT');
  });

  test('the check notices one that is not on the list, one that only half is, and none at all', () => {
    const shipped = (licence?: string) => ({ name: 'made-up', version: '1.0.0', licence });
    for (const licence of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN LICENSE.md', undefined])
      expect(licenceFaults([shipped(licence)])).toHaveLength(1);
    for (const licence of ['MIT', '(GPL-2.0-only OR MIT)', 'Apache-2.0 AND MIT'])
      expect(licenceFaults([shipped(licence)])).toEqual([]);
  });
});

describe('the software bills of materials', () => {
  const schemas = join(ROOT, 'node_modules', '@cyclonedx', 'cyclonedx-library', 'res', 'schema');
  const schemaOf = (name: string) =>
    JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8'));
  const validator = new Ajv({
    strict: false,
    allErrors: true,
    // ajv-formats has neither.
    formats: { 'idn-email': true, 'iri-reference': true },
  });
  addFormats.default(validator);
  // Under the names by which the schema of a bill refers to them.
  for (const name of ['spdx', 'jsf-0.82'])
    validator.addSchema(schemaOf(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = validator.compile(schemaOf('bom-1.5'));
  const boms = createSboms();

  test('are valid CycloneDX, and name every package that ships', () => {
    expect([...boms.keys()]).toEqual([`unbroken-${version}.cdx.json`, `unbroken-client-${version}.cdx.json`]);
    for (const bom of boms.values()) {
      validate(bom);
      expect(validate.errors ?? []).toEqual([]);
      expect(
        bom.components.filter(({ licenses }) => licenses === undefined || licenses.length === 0),
      ).toEqual([]);
    }
    const [product, client] = [...boms.values()].map(({ components }) => components.map(({ name }) => name));
    expect(new Set(product)).toEqual(new Set(shipmentOfProduct().all.map(({ name }) => name)));
    expect(client).toEqual(['eventsource-parser']);
  });

  test('the check notices a bill that is not valid', () => {
    const [bom] = boms.values();
    expect(validate({ ...bom, components: [{ type: 'library' }] })).toBe(false);
    expect(validate({ ...bom, serialNumber: 'none' })).toBe(false);
  });

  test('name no folder of this machine', () => {
    expect(JSON.stringify([...boms.values()])).not.toContain(ROOT);
  });
});
