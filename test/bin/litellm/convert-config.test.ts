import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { convertLiteLlmConfig } from '../../../bin/litellm/convert-config.ts';
import { configSchema } from '../../../platform/config/schema.ts';

const SOURCE = readFileSync(join(import.meta.dirname, 'litellm-config.yaml'), 'utf8');
const convert = (source: string) => {
  const { text, notes } = convertLiteLlmConfig(source);
  return { text, notes, config: parse(text) };
};
const model = (params: object, name = 'm') => ({ model_name: name, litellm_params: params });
/** JSON is YAML. */
const withModels = (models: object[], more: object = {}) =>
  convert(JSON.stringify({ model_list: models, ...more }));

describe('a config of LiteLLM', () => {
  const { text, notes, config } = convert(SOURCE);

  test('becomes one of ours', () => {
    expect(configSchema.safeParse(config).error?.issues).toBeUndefined();
  });

  test('keeps the names that callers send, with their fallbacks', () => {
    expect(config.routes['gpt-4o']).toEqual({
      candidates: ['openai/gpt-4o', 'anthropic/claude-sonnet-4-5'],
      onContextLength: ['google/gemini-2.5-flash'],
    });
    expect(config.routes['gpt-4']).toEqual(config.routes['gpt-4o']);
    expect(config.routes['default']).toEqual(config.routes['gpt-4o']);
    expect(config.routes['mixed']).toEqual({
      candidates: [{ model: 'acme-eu/gpt-4o-eu', weight: 3 }, 'groq/llama-3.3-70b-versatile'],
      order: 'weighted',
    });
    expect(config.routes).not.toHaveProperty('vertex');
  });

  test('has several keys of a provider with the limits of each, and no entry for what is built in', () => {
    expect(config.providers.openai).toEqual({
      wire: 'openai-responses',
      keys: [
        { env: 'OPENAI_API_KEY', limits: { requests: 300, tokens: 100_000 } },
        { env: 'OPENAI_API_KEY_2', limits: { requests: 100 } },
      ],
    });
    expect(Object.keys(config.providers).sort()).toEqual(['acme-eu', 'bedrock', 'llm', 'openai']);
    expect(config.providers['acme-eu']).toMatchObject({ wire: 'azure-openai', apiKeyEnv: 'AZURE_API_KEY' });
    expect(config.providers['bedrock']).toEqual({ wire: 'bedrock', region: 'eu-central-1', pricedAs: 'aws' });
  });

  test('keeps prices, facts of models and the budget of each user', () => {
    expect(config.prices['llm/our-model']).toEqual({
      inputMicroUsdPerMillion: 150_000,
      outputMicroUsdPerMillion: 600_000,
    });
    expect(config.models['llm/our-model']).toEqual({
      contextWindow: 32_768,
      maxOutputTokens: 4_096,
      capabilities: { vision: false },
    });
    expect(config.budgets.limits).toEqual([
      { per: 'user', window: '30d', unit: 'micro-usd', amount: 10_000_000 },
    ]);
  });

  test('never copies a key, and reports everything that it leaves out', () => {
    expect(text).not.toContain('sk-a-secret');
    const report = notes.join('\n');
    for (const [, part] of [
      ['a key', 'gemini: its key is in the file; it is not copied. Put it into the variable GEMINI_API_KEY'],
      ['a provider', 'vertex: no provider here'],
      ['a wildcard', 'anthropic/*: a wildcard'],
      ['a name', 'team/house: the route is called team-house'],
      ['a setting', 'general_settings.master_key: not converted; create keys with'],
      ['a callback', 'litellm_settings.success_callback: not converted; OTEL'],
      ['retries', 'litellm_settings.num_retries: not converted'],
      ['limits', 'rpm and tpm apply to a key here'],
    ]) {
      expect(report).toContain(part);
      expect(text).toContain(`# - ${part}`);
    }
  });
});

describe('the conversion', () => {
  test('puts fallbacks after all models of a name, in the listed order', () => {
    const { config, notes } = withModels(
      [model({ model: 'openai/a' }), model({ model: 'anthropic/b' }), model({ model: 'groq/c' }, 'other')],
      {
        router_settings: { routing_strategy: 'latency-based-routing', default_fallbacks: ['other', 'gone'] },
      },
    );
    expect(config.routes['m']).toEqual({ candidates: ['openai/a', 'anthropic/b', 'groq/c'] });
    expect(notes.join()).toContain('the order is as listed');
    expect(notes.join()).toContain('fallback to gone');
  });

  test('knows routing by latency and by cost, and falls back on a refusal only if the config says so', () => {
    const models = [
      model({ model: 'openai/a' }),
      model({ model: 'anthropic/b' }),
      model({ model: 'groq/c' }, 'x'),
    ];
    const orderBy = (routing_strategy: string) =>
      withModels(models, { router_settings: { routing_strategy } }).config.routes.m.order;
    expect(['latency-based-routing', 'cost-based-routing', 'least-busy'].map(orderBy)).toEqual([
      'latency',
      'cost',
      undefined,
    ]);
    const { config } = withModels(models, { litellm_settings: { content_policy_fallbacks: [{ x: ['m'] }] } });
    expect(config.routes['x']).toEqual({
      candidates: ['groq/c', 'openai/a', 'anthropic/b'],
      onContentPolicy: 'fall-back',
    });
  });

  test('reads YAML as LiteLLM does, and limits in both places', () => {
    const { config } = convert(
      'defaults: &defaults { api_key: os.environ/OPENAI_API_KEY, rpm: 10 }\n' +
        'model_list:\n' +
        '  - { model_name: m, litellm_params: { <<: *defaults, model: openai/a }, tpm: 500 }\n' +
        '  - { model_name: n, litellm_params: { model: groq/b }, model_info: { supports_vision: yes, id: } }\n',
    );
    expect(config.providers.openai.limits).toEqual({ requests: 10, tokens: 500 });
    expect(config.models['groq/b'].capabilities).toEqual({ vision: true });
  });

  test('reports each setting of a deployment that has no counterpart', () => {
    const { notes, config } = withModels([
      { ...model({ model: 'openai/a', timeout: 30 }), order: 1, model_info: { mode: 'chat', tier: 'free' } },
      model({ model: 'azure/b', api_base: 'os.environ/AZURE_API_BASE' }, 'b'),
      model({ model: 'groq/c', weight: 0 }),
      { ...model({ model: 'openai/text-embedding-3-small' }, 'e'), model_info: { mode: 'embedding' } },
      { ...model({ model: 'openai/dall-e-3' }, 'i'), model_info: { mode: 'image_generation' } },
    ]);
    expect(Object.keys(config.routes)).toEqual(['default', 'm']);
    expect(config.routes.m).toEqual({ candidates: ['openai/a'] });
    expect(notes).toEqual([
      'order: not converted',
      'litellm_params.timeout: not converted',
      'model_info.tier: not converted',
      'b: its api_base is in a variable; write the address into the file and convert it again',
      'm: groq/c has the weight 0 and is left out',
      'e: callers must send openai/text-embedding-3-small',
      'i: no image_generation here',
    ]);
  });

  test('keeps the prices of cached input', () => {
    const prices = { input_cost_per_token: 3e-6, output_cost_per_token: 15e-6 };
    const cached = { cache_read_input_token_cost: 3e-7, cache_creation_input_token_cost: 3.75e-6 };
    const { config } = withModels([model({ model: 'anthropic/a', ...prices, ...cached })]);
    expect(config.prices['anthropic/a']).toEqual({
      inputMicroUsdPerMillion: 3_000_000,
      outputMicroUsdPerMillion: 15_000_000,
      cachedInputMicroUsdPerMillion: 300_000,
      cacheWriteMicroUsdPerMillion: 3_750_000,
    });
  });

  test('keeps prices of an hour and of embeddings, and says where a price lacks a part', () => {
    const hour = { cache_creation_input_token_cost_above_1hr: 6e-6, input_cost_per_audio_token: 4e-5 };
    const { config, notes } = withModels([
      model({ model: 'anthropic/a', input_cost_per_token: 3e-6, output_cost_per_token: 15e-6, ...hour }),
      { ...model({ model: 'openai/e', input_cost_per_token: 2e-8 }, 'e'), model_info: { mode: 'embedding' } },
      model({ model: 'openai/o', output_cost_per_token: 1e-6 }, 'o'),
    ]);
    expect(config.prices['anthropic/a']).toMatchObject({
      cacheWriteHourMicroUsdPerMillion: 6_000_000,
      inputAudioMicroUsdPerMillion: 40_000_000,
    });
    expect(config.prices['openai/e']).toEqual({
      inputMicroUsdPerMillion: 20_000,
      outputMicroUsdPerMillion: 0,
    });
    expect(config.prices['openai/o']).toBeUndefined();
    expect(notes).toContain(
      'o: a price needs input_cost_per_token and output_cost_per_token; it is not converted',
    );
  });

  test('takes a budget of 0', () => {
    const litellm_settings = { max_internal_user_budget: 0, internal_user_budget_duration: '1d' };
    const { config } = withModels([model({ model: 'openai/a' })], { litellm_settings });
    expect(config.budgets.limits).toMatchObject([{ window: 'day', amount: 0 }]);
  });

  test('knows fallbacks of all models, fallbacks with parameters, and hidden aliases', () => {
    const { config, notes } = withModels([model({ model: 'openai/a' }), model({ model: 'groq/b' }, 'b')], {
      litellm_settings: { fallbacks: [{ '*': [{ model: 'b', temperature: 0 }] }] },
      router_settings: { model_group_alias: { c: { model: 'm', hidden: true } } },
    });
    expect(config.routes.m).toEqual({ candidates: ['openai/a', 'groq/b'] });
    expect(config.routes.c).toEqual(config.routes.m);
    expect(notes).toEqual(['fallback to b: its other parameters are not converted']);
  });

  test('reports two names that become one route', () => {
    const { notes } = withModels([model({ model: 'openai/a' }, 'x/y'), model({ model: 'groq/b' }, 'x-y')]);
    expect(notes).toContain('x/y and x-y: both are the route x-y');
  });

  test('names servers by their host, and no two alike', () => {
    const at = (api_base: string) => model({ model: 'openai/a', api_base }, api_base.slice(8, 12));
    const { config } = withModels(
      [
        'https://llm.a.example/v1',
        'https://llm.b.example/v1',
        'http://127.0.0.1:8000/v1',
        'https://groq.c.example',
      ].map(at),
    );
    expect(Object.keys(config.providers)).toEqual(['llm', 'llm-2', 'openai-server', 'groq-2']);
    expect(config.providers['openai-server']).toEqual({
      wire: 'openai-chat',
      baseUrl: 'http://127.0.0.1:8000/v1',
    });
  });

  test.each([
    ['nothing', '{}', 'model_list'],
    [
      'a model without a name',
      JSON.stringify({ model_list: [{ litellm_params: { model: 'a' } }] }),
      'model_list.0.model_name',
    ],
    [
      'no model that can be called',
      JSON.stringify({ model_list: [model({ model: 'vertex_ai/a' })] }),
      'can be called',
    ],
  ])('refuses %s', (_what, source, reason) => {
    expect(() => convertLiteLlmConfig(source)).toThrow(reason);
  });

  test('windows of a budget that do not exist here are reported', () => {
    const budget = (internal_user_budget_duration: string) =>
      withModels([model({ model: 'openai/a' })], {
        litellm_settings: { max_internal_user_budget: 1, internal_user_budget_duration },
      });
    expect(['1d', '7d', '24h', '1mo'].map((text) => budget(text).config.budgets.limits[0].window)).toEqual([
      'day',
      '7d',
      '24h',
      'month',
    ]);
    expect(budget('90d').notes.join()).toContain('90d has no counterpart');
    expect(budget('90d').config).not.toHaveProperty('budgets');
  });
});
