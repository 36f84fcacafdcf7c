import { describe, expect, test } from '@jest/globals';
import { NO_USAGE } from '../../../contracts/money.ts';
import { describeModel, factsOf, listModels } from '../../../engine/models/catalogue.ts';
import { claudeVersion } from '../../../engine/models/model-families.ts';
import { costOf } from '../../../engine/models/price.ts';
import { describeRoute, listNames, usableNames } from '../../../engine/models/route-models.ts';
import { selectModels } from '../../../engine/models/select-models.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { VENDORS } from '../../../platform/config/vendors.ts';

const config = loadConfig({});
const models = listModels(config);

describe('the catalogue', () => {
  test('has over a hundred models with window and price, of ten providers and more', () => {
    const known = models.filter(
      (model) => model.contextWindow !== null && model.priceMicroUsdPerMillion !== null,
    );
    expect(known.length).toBeGreaterThan(100);
    expect(new Set(models.map((model) => model.owned_by)).size).toBeGreaterThan(10);
    expect(new Set(models.map((model) => model.id)).size).toBe(models.length);
  });

  test('has no models that do not chat', () => {
    expect(models.filter(({ id }) => /embed|whisper|moderation|tts|realtime/.test(id))).toEqual([]);
  });

  test.each<[string, string, object]>([
    [
      'openai',
      'gpt-4o-mini',
      { tools: true, vision: true, sampling: true, reasoning: false, reattach: true, stop: false },
    ],
    ['openai', 'gpt-5-mini', { reasoning: true, sampling: false, vision: true }],
    ['openai', 'gpt-5-chat-latest', { reasoning: false, sampling: true }],
    ['openai', 'o3-mini', { reasoning: true, sampling: false, vision: false }],
    ['openai-chat', 'gpt-4o', { reattach: false, stop: null }],
    [
      'anthropic',
      'claude-sonnet-4-5-20250929',
      { prefill: true, sampling: true, reasoning: true, jsonSchema: true },
    ],
    ['anthropic', 'claude-opus-4-6', { prefill: false, sampling: true }],
    ['anthropic', 'claude-opus-4-7', { prefill: false, sampling: false }],
    ['anthropic', 'claude-sonnet-5', { prefill: false, sampling: false, vision: true }],
    ['openrouter', 'anthropic/claude-sonnet-4.5', { prefill: false, tools: true, vision: true }],
    ['google', 'gemini-2.5-flash', { tools: true, vision: true, reasoning: true }],
    ['google', 'gemini-2.0-flash', { reasoning: false }],
    ['cohere', 'command-a-reasoning-08-2025', { reasoning: true, tools: true, vision: false }],
    ['deepseek', 'deepseek-reasoner', { reasoning: true, jsonSchema: false }],
    ['perplexity', 'sonar', { tools: false }],
    ['ollama', 'some-model', { tools: null, vision: null, instruct: true }],
  ])('%s/%s', (provider, model, expected) => {
    expect(factsOf(config, provider, model).capabilities).toMatchObject(expected);
  });

  test.each([
    ['claude-3-7-sonnet-latest', 37],
    ['claude-sonnet-4-5-20250929', 45],
    ['claude-opus-4-20250514', 40],
    ['claude-opus-4-8', 48],
    ['claude-opus-5', 50],
    ['claude-opus-5-5', 55],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 45],
    ['claude-sonnet-4.5', 45],
    ['gpt-5', null],
  ])('the version in %s is %s', (model, version) => {
    expect(claudeVersion(model)).toBe(version);
  });

  test('the config has the last word, model over provider over what is known', () => {
    const own = {
      ...config,
      providers: {
        ...config.providers,
        openai: { wire: 'openai-responses' as const, capabilities: { vision: false, reattach: false } },
      },
      models: { 'openai/gpt-4o': { contextWindow: 1_000, capabilities: { vision: true } } },
      prices: { 'openai/gpt-4o': { inputMicroUsdPerMillion: 7, outputMicroUsdPerMillion: 9 } },
    };
    expect(factsOf(own, 'openai', 'gpt-4o')).toMatchObject({
      contextWindow: 1_000,
      capabilities: { vision: true, reattach: false, tools: true },
    });
    expect(factsOf(own, 'openai', 'gpt-4o-mini').capabilities.vision).toBe(false);
  });

  test('a model that the config alone names is listed', () => {
    const own = { ...config, models: { 'ollama/house': { contextWindow: 8_192 } } };
    expect(listModels(own).find(({ id }) => id === 'ollama/house')).toMatchObject({ contextWindow: 8_192 });
  });

  test('the simulated models have prices of a small and a large model, and are marked as simulated', () => {
    const simulated = loadConfig({ UNBROKEN_SIMULATOR_URL: 'http://127.0.0.1:9' });
    const listed = listModels(simulated).filter((model) => model.simulated);
    expect(listed.map(({ id }) => id)).toContain('simulated/sim-large');
    expect(listed.map(({ id }) => id)).toContain('simulated-messages/sim-small');
    expect(listed.every(({ id }) => id.startsWith('simulated'))).toBe(true);
    const priceOf = (model: string) => describeModel(simulated, 'simulated', model).priceMicroUsdPerMillion;
    expect(priceOf('sim-small')).toMatchObject({ input: 250_000, output: 2_000_000 });
    expect(priceOf('sim-large')).toMatchObject({ input: 3_000_000, output: 15_000_000 });
    const usage = { ...NO_USAGE, inputTokens: 10, outputTokens: 120 };
    expect(costOf({ provider: 'simulated', model: 'sim-large' }, usage, simulated.prices)).toEqual({
      costMicroUsd: 1_830,
      isKnown: true,
    });
    expect(models.some((model) => model.simulated)).toBe(false);
  });

  test('a model is available where its provider has its key, or needs none', () => {
    const keyed = loadConfig({ GROQ_API_KEY: 'gsk_x' });
    expect(describeModel(keyed, 'groq', 'x').available).toBe(true);
    expect(describeModel(keyed, 'mistral', 'x').available).toBe(false);
    expect(describeModel(keyed, 'ollama', 'x').available).toBe(true);
  });

  test('models are selected by name, provider and ability', () => {
    const ids = selectModels(models, { provider: 'google', q: 'FLASH', can: { reasoning: true } }).map(
      ({ id }) => id,
    );
    expect(ids).toContain('google/gemini-2.5-flash');
    expect(ids.every((id) => id.includes('flash') && id.startsWith('google/'))).toBe(true);
  });
});

describe('the names that a request may use', () => {
  const ids = (views: readonly { readonly id: string }[]) => views.map(({ id }) => id);

  test('begin with the routes, which have what all of their usable models have', () => {
    const keyed = loadConfig({ OPENAI_API_KEY: 'sk-x' });
    expect(ids(listNames(keyed)).slice(0, 2)).toEqual(['unbroken', 'unbroken/default']);
    const [route] = Object.values(keyed.routes);
    if (route === undefined) throw new Error('there is no route');
    const small = describeRoute(
      {
        ...keyed,
        routes: {
          small: { ...route, candidates: [{ provider: 'openai', model: 'gpt-4o-mini', weight: 1 }] },
        },
      },
      'small',
    );
    expect(small).toMatchObject({ owned_by: 'unbroken', available: true, contextWindow: 128_000 });
    expect(small.capabilities).toMatchObject({ tools: true, reasoning: false });
  });

  test('are those with a key; of a server on this machine, those that the config names', () => {
    const keyed = loadConfig({ GEMINI_API_KEY: 'x' });
    const named = { ...keyed, models: { 'ollama/house': { contextWindow: 8_192 } } };
    const owners = new Set(usableNames(named, listNames(named)).map(({ owned_by: owner }) => owner));
    expect([...owners].sort()).toEqual(['google', 'ollama']);
    expect(ids(usableNames(named, listNames(named))).filter((id) => /^(ollama|lm-studio)/.test(id))).toEqual([
      'ollama/house',
    ]);
  });
});

test('every vendor of the list has its own key and uses TLS, or runs on this machine', () => {
  expect(Object.keys(VENDORS).length).toBeGreaterThan(20);
  for (const { baseUrl, apiKeyEnv } of Object.values(VENDORS)) {
    if (apiKeyEnv === undefined) expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    else expect(baseUrl ?? 'https://').toMatch(/^https:\/\//);
  }
});
