import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';

function loadFile(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-config-'));
  const path = join(folder, 'unbroken.config.yaml');
  writeFileSync(path, text);
  try {
    return loadConfig({ UNBROKEN_CONFIG: path });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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

test.each([
  ['apiKeyEnv: sk-proj-0123456789abcdef', 'providers.house.apiKeyEnv holds a key'],
  ['keys: [{ env: A }, { env: AIza0123456789abcdefghij }]', 'providers.house.keys[1].env holds a key'],
])('a key in place of the name of its variable is reported, and not shown: %s', (line, report) => {
  const load = () => loadFile(`providers:\n  house:\n    wire: openai-chat\n    ${line}\n`);
  expect(load).toThrow(report);
  expect(load).not.toThrow('0123456789');
});

test('providers may share their settings by an anchor and a merge key', () => {
  const { providers } = loadFile(
    'providers:\n' +
      '  a: &same { wire: openai-chat, baseUrl: https://a.example.com/v1, firstTokenMs: 60000 }\n' +
      '  b: { <<: *same, baseUrl: https://b.example.com/v1 }\n',
  );
  expect(providers['b']).toMatchObject({ baseUrl: 'https://b.example.com/v1', firstTokenMs: 60_000 });
});

test.each(['@{LLM_URL}', 'https://@{HOST}/v1', 'https://llm.example.com/@{TENANT}', 'os.environ/LLM_URL'])(
  'an address with a variable is reported: %s',
  (address) => {
    const url = address.replace('@', '$');
    const load = () => loadFile(`providers:\n  a: { wire: openai-chat, baseUrl: "${url}" }\n`);
    expect(load).toThrow('providers.a.baseUrl: variables are not filled in here: write the address itself');
  },
);

test('a secret in place of the name of its variable is not shown', () => {
  const url = 'url: https://hooks.example.com';
  const load = () => loadFile(`budgets:\n  webhook: { ${url}, secretEnv: "whsec_0123456789+abc" }\n`);
  expect(load).toThrow('budgets.webhook.secretEnv names a variable with an unusual name');
  expect(load).not.toThrow('0123456789');
});

test('a section whose settings are all comments is reported as empty', () => {
  const load = () => loadFile('http:\n  # drainMs: 20000\n');
  expect(load).toThrow('it is empty: remove it, or give it a value');
});
