/** Measures provider calls, under the names of OpenTelemetry's conventions for generative AI. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { inputTokensOf, outputTokensOf, type Usage } from '../../contracts/money.ts';
import { CALL_SECONDS, FIRST_TOKEN_SECONDS, type Metrics, PER_TOKEN_SECONDS, TOKENS } from './metrics.ts';
import { type CallWatcher, isContent } from './observe-calls.ts';

const MODEL = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;

export function measureCalls(metrics: Metrics): CallWatcher {
  const duration = metrics.histogram(
    'gen_ai_server_request_duration_seconds',
    'From the call of a provider to its end; error_type is empty where the answer was whole',
    CALL_SECONDS,
    [...MODEL, 'error_type'],
  );
  const firstToken = metrics.histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'From the call of a provider to its first token',
    FIRST_TOKEN_SECONDS,
    MODEL,
  );
  const perToken = metrics.histogram(
    'gen_ai_server_time_per_output_token_seconds',
    'Time for each output token after the first',
    PER_TOKEN_SECONDS,
    MODEL,
  );
  const tokens = metrics.histogram(
    'gen_ai_client_token_usage',
    'Tokens of one call, as its provider reports',
    TOKENS,
    [...MODEL, 'gen_ai_token_type'],
  );
  const countPrompt = promptCounter(metrics);
  const running = metrics.gauge('unbroken_provider_calls_running', 'Calls of providers that run now');

  return (provider, call) => {
    const labels = {
      gen_ai_operation_name: 'chat',
      gen_ai_provider_name: metrics.bounded(provider),
      gen_ai_request_model: metrics.bounded(call.model),
    };
    const begunAt = performance.now();
    let firstAt: number | null = null;
    let usage: Usage | null = null;
    running.inc();
    return {
      event(event) {
        if (firstAt === null && isContent(event)) {
          firstAt = performance.now();
          firstToken.observe(labels, (firstAt - begunAt) / 1_000);
        }
        if (event.type === 'finish') usage = event.usage;
      },
      end(error) {
        const endedAt = performance.now();
        running.dec();
        duration.observe(
          { ...labels, error_type: errorTypeOf(error, call.signal) },
          (endedAt - begunAt) / 1_000,
        );
        if (usage === null) return;
        const output = outputTokensOf(usage);
        countPrompt(labels, usage);
        tokens.observe({ ...labels, gen_ai_token_type: 'input' }, inputTokensOf(usage));
        tokens.observe({ ...labels, gen_ai_token_type: 'output' }, output);
        if (firstAt !== null && output > 1)
          perToken.observe(labels, (endedAt - firstAt) / 1_000 / (output - 1));
      },
    };
  };
}

function promptCounter(metrics: Metrics) {
  const tokens = metrics.counter(
    'unbroken_prompt_tokens_total',
    "Input tokens by what the vendor's prompt cache did: none, read, write, or write-1h",
    ['gen_ai_provider_name', 'gen_ai_request_model', 'prompt_cache'],
  );
  return (
    labels: { readonly gen_ai_provider_name: string; readonly gen_ai_request_model: string },
    { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteHourTokens = 0 }: Usage,
  ): void => {
    const { gen_ai_provider_name, gen_ai_request_model } = labels;
    const count = (prompt_cache: string, amount: number) => {
      if (amount > 0) tokens.inc({ gen_ai_provider_name, gen_ai_request_model, prompt_cache }, amount);
    };
    count('none', inputTokens);
    count('read', cachedInputTokens);
    count('write', cacheWriteTokens - cacheWriteHourTokens);
    count('write-1h', cacheWriteHourTokens);
  };
}

/** The code of our error table; `stopped` if we ended the call; '' for a complete answer. */
export function errorTypeOf(error: unknown, signal: AbortSignal): string {
  if (error === null) return '';
  if (signal.aborted) return 'stopped';
  return error instanceof UnbrokenError ? error.code : 'internal';
}
