import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { readJson, readProjectFile } from './project-files.ts';
import { lockHosts } from './style.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ integrity: z.string().optional(), link: z.boolean().optional() }),
  ),
});
const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

test.each(['package-lock.json', 'examples/nextjs/package-lock.json'])(
  'npm ci checks the bytes of every package of %s, on every platform and from any registry',
  (path) => {
    const { packages } = lockSchema.parse(readJson(path));
    const unchecked = Object.entries(packages).flatMap(([name, { integrity, link }]) =>
      name === '' || link === true || /^sha512-[\w+/]{86}==$/.test(integrity ?? '') ? [] : [name],
    );
    expect(unchecked).toEqual([]);
    // A lock that names a registry would bind the project to it.
    expect(lockHosts(readProjectFile(path))).toEqual([]);
  },
);

test('the examples use the versions that the product is tested with', () => {
  const versionsOf = (path: string) => {
    const { dependencies, devDependencies } = manifestSchema.parse(readJson(path));
    return { ...dependencies, ...devDependencies };
  };
  const client = z.object({ version: z.string() }).parse(readJson('clients/typescript/package.json'));
  const ours: Readonly<Record<string, string>> = {
    ...versionsOf('package.json'),
    '@unbroken/client': client.version,
    // The last one with the JavaScript API that Next.js calls.
    typescript: '6.0.3',
  };
  const others = ['nextjs', 'express'].flatMap((name) =>
    Object.entries(versionsOf(`examples/${name}/package.json`)).filter(
      ([dependency, version]) => (ours[dependency] ?? version) !== version,
    ),
  );
  expect(others).toEqual([]);
});
