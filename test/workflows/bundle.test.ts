import { mkdtempSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';

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
    // Nothing of traces is loaded into a run where they are off.
    expect(code).not.toContain('@opentelemetry/');
    expect((await bundleWorkflows(folder, { isTraced: true })).code).toContain('@opentelemetry/');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
