import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';

test.each(['UNBROKEN_PORT', 'UNBROKEN_METRICS_PORT'])(
  '%s that is no port is reported with the fix',
  (name) => {
    // Kubernetes sets such a value in all pods beside a Service of the name `unbroken`.
    for (const value of ['tcp://10.0.0.1:8787', '70000', '-1', '80.5'])
      expect(() => loadConfig({ [name]: value })).toThrow(`${name}: expected a port, 0 to 65535`);
  },
);

test('a key that no request can carry is reported with its variable, and without the key', () => {
  const keyOf = (key: string) => loadConfig({ OPENAI_API_KEY: key }).providerKeys['openai'];
  expect(keyOf('sk-0123456789\n')).toHaveLength(1);
  for (const key of ['sk-\u{201c}0123456789\u{201d}', 'sk-01234\n56789', 'sk-\u{200b}0123456789']) {
    expect(() => keyOf(key)).toThrow('OPENAI_API_KEY holds a character');
    expect(() => keyOf(key)).not.toThrow('0123');
  }
});

test('a section whose settings are all comments is reported as empty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-config-'));
  const path = join(folder, 'unbroken.config.yaml');
  writeFileSync(path, 'http:\n  # drainMs: 20000\n');
  try {
    expect(() => loadConfig({ UNBROKEN_CONFIG: path })).toThrow('it is empty: remove it, or give it a value');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
