import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bundleWorkflows, writeBundles } from '../../worker/bundle-workflows.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { TEST_DATA_DIR } from '../harness/stack.ts';

test('the workflow bundles, and asks for nothing of Node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-bundle-'));
  try {
    const { code } = await bundleWorkflows(folder);
    expect(code).toContain('workflows/generation.ts');
    const required = [...code.matchAll(/\brequire\(\\?["']([^"'\\]+)\\?["']\)/g)].map(
      ([, name]) => name ?? '',
    );
    const ofNode = required.filter((name) => name.startsWith('node:') || builtinModules.includes(name));
    expect(ofNode).toEqual([]);
    expect((await bundleWorkflows(folder)).code).toBe(code);
    // Each run loads all modules of the bundle again: schemas would be built once per generation.
    expect(code).not.toContain('node_modules/zod/');
    // Nothing of traces is loaded into a run where they are off.
    expect(code).not.toContain('@opentelemetry/');
    expect((await bundleWorkflows(TEST_DATA_DIR, { isTraced: true })).code).toContain('@opentelemetry/');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the compiled worker has a bundle of each form, which names no folder of the machine that built it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-bundles-'));
  try {
    await writeBundles(folder, TEST_DATA_DIR);
    const bundles = new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
    const withPart = (part: string) =>
      [...bundles].filter(([, code]) => code.includes(part)).map(([name]) => name);
    expect([...bundles.keys()].sort()).toEqual([
      'workflow-bundle-encrypted-traced.js',
      'workflow-bundle-encrypted.js',
      'workflow-bundle-traced.js',
      'workflow-bundle.js',
    ]);
    expect(withPart('@opentelemetry/').sort()).toEqual([
      'workflow-bundle-encrypted-traced.js',
      'workflow-bundle-traced.js',
    ]);
    expect(withPart('platform/encryption/failure-converter').sort()).toEqual([
      'workflow-bundle-encrypted-traced.js',
      'workflow-bundle-encrypted.js',
    ]);
    for (const code of bundles.values()) {
      const [, map = ''] = code.split('sourceMappingURL=data:application/json;charset=utf-8;base64,');
      expect(map.length).toBeGreaterThan(1_000);
      expect(code + Buffer.from(map, 'base64').toString()).not.toContain(PROJECT_ROOT);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
