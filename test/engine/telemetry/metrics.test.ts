import { describe, expect, test } from '@jest/globals';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../../../engine/providers/provider.ts';
import { measureCalls } from '../../../engine/telemetry/measure-calls.ts';
import { createMetrics } from '../../../engine/telemetry/metrics.ts';
import { observeCalls } from '../../../engine/telemetry/observe-calls.ts';
import { routeOf } from '../../../platform/config/route-schema.ts';

const call = (model: string, signal = new AbortController().signal): ProviderCall => ({
  model,
  maxOutputTokens: 10,
  idempotencyKey: 'gen_1:1',
  resume: { strategy: 'start' },
  signal,
  input: { messages: [], maxOutputTokens: 10 },
});

function providerOf(answer: () => AsyncGenerator<ProviderEvent>): ReadonlyMap<string, Provider> {
  const capabilities = () => ({ reattach: false, prefill: false, instruct: false });
  return new Map([['vendor', { name: 'vendor', capabilities, silenceMs: () => 0, stream: answer }]]);
}

async function read(providers: ReadonlyMap<string, Provider>, call: ProviderCall): Promise<void> {
  for await (const event of providers.get('vendor')?.stream(call) ?? []) if (event.type === 'finish') break;
}

describe('calls of providers', () => {
  test('what is not watched is left as it is', () => {
    const providers = providerOf(async function* () {
      yield { type: 'text', text: 'a' };
    });
    expect(observeCalls(providers, [])).toBe(providers);
  });

  test('an answer that was read to its end is no error, and one that broke has its code', async () => {
    const metrics = createMetrics();
    const watchers = [measureCalls(metrics)];
    const whole = providerOf(async function* () {
      yield { type: 'text', text: 'a' };
      yield {
        type: 'finish',
        reason: 'stop',
        usage: {
          ...NO_USAGE,
          inputTokens: 3,
          cachedInputTokens: 4,
          cacheWriteTokens: 7,
          cacheWriteHourTokens: 5,
          outputTokens: 2,
        },
      };
    });
    await read(observeCalls(whole, watchers), call('m'));
    const broken = providerOf(async function* () {
      yield { type: 'text', text: 'a' };
      throw new UnbrokenError('provider_stream_cut', 'cut');
    });
    const measured = new Map(observeCalls(broken, watchers));
    await expect(read(measured, call('m'))).rejects.toThrow('cut');
    await expect(read(measured, call('m', AbortSignal.abort()))).rejects.toThrow('cut');
    const page = await metrics.registry.metrics();
    const model = 'gen_ai_operation_name="chat",gen_ai_provider_name="vendor",gen_ai_request_model="m"';
    for (const type of ['', 'provider_stream_cut', 'stopped']) {
      expect(page).toContain(`gen_ai_server_request_duration_seconds_count{${model},error_type="${type}"} 1`);
    }
    expect(page).toContain(`gen_ai_client_token_usage_sum{${model},gen_ai_token_type="input"} 14`);
    const named = 'gen_ai_provider_name="vendor",gen_ai_request_model="m"';
    for (const [state, tokens] of [
      ['none', 3],
      ['read', 4],
      ['write', 2],
      ['write-1h', 5],
    ]) {
      expect(page).toContain(`unbroken_prompt_tokens_total{${named},prompt_cache="${state}"} ${tokens}`);
    }
    expect(page).toContain('unbroken_provider_calls_running 0');
  });

  test('models that a caller invents do not make series without end', () => {
    const metrics = createMetrics();
    const names = new Set(Array.from({ length: 1_000 }, (_, index) => metrics.bounded(`model-${index}`)));
    expect(names.size).toBe(101);
    expect(names).toContain('other');
    expect(metrics.bounded('model-0')).toBe('model-0');
  });

  test('models of routes have their series, whatever callers have named before', () => {
    const metrics = createMetrics({ default: routeOf(['house/ours']) });
    for (let index = 0; index < 1_000; index += 1) metrics.bounded(`model-${index}`);
    expect(['house', 'ours', 'model-999'].map(metrics.bounded)).toEqual(['house', 'ours', 'other']);
  });
});
