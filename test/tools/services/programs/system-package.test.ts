import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { forbidDaemons } from '../../../../tools/services/programs/system-package.js';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-policy-'));
const policyFile = join(folder, 'policy-rc.d');
const moduleUrl = new URL('../../../../tools/services/programs/system-package.js', import.meta.url);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('daemons are forbidden only as long as a package is being installed', () => {
  const allow = forbidDaemons(policyFile);
  expect(existsSync(policyFile)).toBe(true);
  allow();
  expect(existsSync(policyFile)).toBe(false);
});

test('a process that exits in the middle of an installation allows daemons again', () => {
  const script = [
    `import { existsSync } from 'node:fs';`,
    `import { forbidDaemons } from '${moduleUrl}';`,
    `forbidDaemons('${policyFile}');`,
    `process.exit(existsSync('${policyFile}') ? 7 : 8);`,
  ].join('\n');
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status).toBe(7);
  expect(existsSync(policyFile)).toBe(false);
});

test('a policy of the administrator stays', () => {
  writeFileSync(policyFile, 'of the administrator');
  forbidDaemons(policyFile)();
  expect(existsSync(policyFile)).toBe(true);
});
