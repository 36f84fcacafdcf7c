import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { developmentKey } from '../../../tools/services/dev-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(config: object, environment: Record<string, string> = {}) {
  const path = join(folder, 'unbroken.config.yaml');
  writeFileSync(path, JSON.stringify(config));
  return loadConfig({ ...environment, UNBROKEN_CONFIG: path });
}

const BOTH = { OPENAI_API_KEY: 'sk-openai-0123456789', ANTHROPIC_API_KEY: 'sk-anthropic-0123456789' };

describe('the route that needs no config', () => {
  test('sends simple tasks to a small cheap model, and code and complex ones to a strong one', () => {
    const { default: route } = load({}, BOTH).routes;
    const names = (task: string) => route?.tasks[task]?.map(({ provider, model }) => `${provider}/${model}`);
    expect(names('simple')).toEqual(['openai/gpt-4o-mini']);
    expect(names('complex')).toEqual(['anthropic/claude-sonnet-4-5']);
    expect(names('code')).toEqual(['anthropic/claude-sonnet-4-5']);
  });

  test('has the one model whose key is set, and is not there without any', () => {
    const { default: route } = load({}, { OPENAI_API_KEY: 'sk-openai-0123456789' }).routes;
    expect(route?.candidates).toEqual([{ provider: 'openai', model: 'gpt-4o-mini', weight: 1 }]);
    expect(load({}).routes['default']).toBeUndefined();
  });
});

test('a config that cannot be read is reported as that, and not as invalid YAML', () => {
  expect(() => loadConfig({ UNBROKEN_CONFIG: folder })).toThrow(/cannot be read: .*Correct UNBROKEN_CONFIG/);
});

const PRICE = { inputMicroUsdPerMillion: 1, outputMicroUsdPerMillion: 1 };
const SOFT = { per: 'user', window: 'day', amount: 5, mode: 'soft' };

describe('a wrong config is reported with its key and the fix', () => {
  const messageOf = (config: object): string => {
    try {
      load(config);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    throw new Error('it was taken');
  };

  test.each([
    [{ routes: { a: ['gpt-4o'] } }, 'routes.a.0: expected provider/model, such as openai/gpt-4o-mini'],
    [{ routes: { a: 'openai/gpt-4o' } }, 'routes.a: expected a list of models, or { candidates: [...] }'],
    [{ routes: { a: { candidates: [] } } }, 'routes.a.candidates: '],
    [
      { routes: { a: { candidates: ['openai/x'], oder: 'cost' } } },
      'routes.a: Unrecognized key: "oder"; remove',
    ],
    [
      { routes: { a: { candidates: ['openai/x'], order: 'fast' } } },
      'expected one of "listed"|"weighted"|"cost"',
    ],
    [{ routes: { a: { candidates: ['openai/x'], tasks: { 'A b': ['openai/x'] } } } }, 'routes.a.tasks.A b: '],
    [{ routes: { a: { candidates: [{ model: 'openai/x', weight: 0 }] } } }, 'routes.a.candidates.0.weight: '],
    [{ routes: { a: ['nobody/x'] } }, 'routes.a: "nobody/x" names the provider "nobody"'],
    // Every object has this one, but no config.
    [{ routes: { a: ['constructor/x'] } }, 'routes.a: "constructor/x" names the provider "constructor"'],
    [
      { routes: { a: { candidates: ['openai/x'], onContextLength: ['nobody/x'] } } },
      'Add it there, or use one of',
    ],
    [{ breaker: { badShare: 2 } }, 'breaker.badShare: '],
    [
      { cache: { default: { threshold: 0.5 } } },
      'cache.default: "threshold", a cosine, has become "acceptedFalseHits", a share of false hits such as 0.01; remove',
    ],
    [{ cache: { routes: { faq: { acceptedFalseHits: 0.2 } } } }, 'cache.routes.faq.acceptedFalseHits: '],
    [
      { providers: { lab: { wire: 'openai-chat', baseUrl: 'lab' } } },
      'providers.lab.baseUrl: expected a URL such as https://llm.example.com/v1',
    ],
    [
      { providers: { lab: { wire: 'openai-chat', baseUrl: 'http://lab.example/v1/chat/completions' } } },
      'providers.lab.baseUrl: leave out "/chat/completions": each call adds its path to baseUrl',
    ],
    [
      { providers: { openai: { wire: 'openai-responses', limits: { rpm: 5 } } } },
      'providers.openai.limits: ',
    ],
    [{ prices: { 'gpt-4o': PRICE } }, 'prices.gpt-4o: expected provider/model, such as'],
    [{ prices: { 'opanai/gpt-4o': PRICE } }, 'prices.opanai/gpt-4o: expected provider/model, such as'],
    [{ models: { 'opanai/gpt-4o': {} } }, 'models.opanai/gpt-4o: expected provider/model, such as'],
    [{ cache: { routes: { fqa: {} } } }, 'cache.routes.fqa: there is no such route'],
    [{ promptCaching: { routes: { fqa: 'off' } } }, 'promptCaching.routes.fqa: there is no such route'],
    [
      { budgets: { limits: [SOFT, { ...SOFT, unit: 'micro-usd' }, { ...SOFT, amount: 9, mode: 'hard' }] } },
      'budgets.limits.2: user/*/day/tokens has a limit already, limits.0; keep one',
    ],
  ])('%j', (config, message) => {
    expect(messageOf(config)).toContain(message);
  });
});

describe('keys', () => {
  const openai = {
    wire: 'openai-responses',
    limits: { requests: 500 },
    keys: [{ env: 'KEY_A', weight: 2 }, { env: 'KEY_B', limits: { requests: 10 } }, { env: 'KEY_C' }],
  };

  test('are those that the environment holds, with their own limits over the common ones', () => {
    const environment = { KEY_A: 'sk-a-0123456789', KEY_B: 'sk-b-0123456789' };
    const keys = load({ providers: { openai } }, environment).providerKeys['openai'] ?? [];
    expect(keys.map(({ secret, weight, requests }) => [secret, weight, requests])).toEqual([
      ['sk-a-0123456789', 2, 500],
      ['sk-b-0123456789', 1, 10],
    ]);
  });

  test('have an id that changes with the key and does not tell it', () => {
    const idOf = (secret: string) =>
      load({ providers: { openai } }, { KEY_A: secret }).providerKeys['openai']?.[0]?.id;
    expect(idOf('sk-a-0123456789')).toMatch(/^KEY_A#[0-9a-f]{6}$/);
    expect(idOf('sk-a-0123456789')).not.toBe(idOf('sk-b-0123456789'));
  });
});

describe('a development key', () => {
  const keyOf = (UNBROKEN_DEV_KEY: string) => loadConfig({ UNBROKEN_DEV_KEY }).devKey;

  test.each([
    ['that is short', 'swordfish-12345'],
    ['of one character', 'a'.repeat(40)],
    ['of a word again and again', 'secret'.repeat(6)],
    ['with a space', `${'0123456789abcdef'.repeat(2)} x`],
  ])('%s is refused with what makes a good one', (_what, key) => {
    expect(() => keyOf(key)).toThrow(/UNBROKEN_DEV_KEY.*openssl rand -hex 32/);
  });

  test('is accepted if it is random, as generated keys are', () => {
    for (const key of [randomBytes(32).toString('hex'), randomBytes(24).toString('base64url')]) {
      expect(keyOf(key)).toBe(key);
    }
    const made = developmentKey(join(folder, 'data'));
    expect(keyOf(made)).toBe(made);
  });
});

test('no generation may outlive the log that it writes', () => {
  const sevenDays = 7 * 24 * 3_600_000;
  expect(() => load({ limits: { generationMs: sevenDays } })).toThrow(/limits\.generationMs.*6 days/s);
  expect(load({ limits: { generationMs: sevenDays - 24 * 3_600_000 } }).limits.generationMs).toBeGreaterThan(
    0,
  );
});
