/** The faults of providers that must never reach a caller as a wrong or endless answer. */
import type { FinishReason } from '../../contracts/generation.ts';
import { DEFAULTS } from '../../contracts/limits.ts';
import { workflowId } from '../../contracts/names.ts';
import { startReading } from '../harness/reader.ts';
import { temporalClient } from '../harness/streaming-worker.ts';
import {
  callsOf,
  cleanError,
  errorsOf,
  type FaultCase,
  gapOf,
  type Seen,
  wholeAnswer,
} from './fault-case.ts';

const primary = (id: string) => `simulated/${id}`;
const second = (id: string) => `simulated-messages/${id}`;
const ONCE = { wire: 'openai-responses', times: 1 } as const;
const ALWAYS = { wire: 'openai-responses', times: 1_000 } as const;

/** An answer to the same question that was stored before all went wrong. */
const storeAnswer: FaultCase['prepare'] = async (stack, input) => {
  const body = await stack.api.submit({ input, route: 'before', cache: 'on' });
  await startReading(stack.api, body.id).whole;
  const temporal = await temporalClient(stack.env);
  await temporal.workflow.getHandle(workflowId('dev', body.id)).result();
};

export const FAULT_CASES: readonly FaultCase[] = [
  {
    name: '429 with Retry-After: 2',
    id: 'c01',
    withinMs: 8_000,
    faults: [{ ...ONCE, kind: 'status', status: 429, retryAfterSeconds: 2 }],
    check: (seen) => [
      ...wholeAnswer(seen, primary('c01')),
      ...callsOf(seen, primary('c01'), 2, 2),
      ...(gapOf(seen, primary('c01')) >= 1_900
        ? []
        : [`asked again after ${gapOf(seen, primary('c01'))} ms`]),
    ],
  },
  {
    name: '429 with Retry-After: 25, another model has room',
    id: 'c02',
    withinMs: 5_000,
    faults: [{ ...ONCE, kind: 'status', status: 429, retryAfterSeconds: 25 }],
    check: (seen) => [...wholeAnswer(seen, second('c02')), ...callsOf(seen, primary('c02'), 1, 1)],
  },
  {
    name: '429 without Retry-After, always',
    id: 'c03',
    withinMs: 15_000,
    faults: [{ ...ALWAYS, kind: 'status', status: 429 }],
    check: (seen) => [
      ...wholeAnswer(seen, second('c03')),
      ...callsOf(seen, primary('c03'), 1, 4),
      ...(gapOf(seen, primary('c03')) < 500 ? ['it hammers'] : []),
    ],
  },
  {
    name: '500 once',
    id: 'c04',
    withinMs: 5_000,
    faults: [{ ...ONCE, kind: 'status', status: 500 }],
    check: (seen) => [...wholeAnswer(seen, primary('c04')), ...callsOf(seen, primary('c04'), 2, 2)],
  },
  {
    name: 'connection refused',
    id: 'c05',
    withinMs: 8_000,
    // Nothing listens on the port of discard.
    providers: () => ({ refused: { wire: 'openai-responses', baseUrl: 'http://127.0.0.1:9/v1' } }),
    route: ['refused/c05', 'simulated/c05'],
    faults: [],
    check: (seen) => [...wholeAnswer(seen, primary('c05')), ...errorsOf(seen, 'provider_connect_failed')],
  },
  {
    name: 'reset while connecting',
    id: 'c06',
    withinMs: 5_000,
    faults: [{ ...ONCE, kind: 'reset' }],
    check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_connect_failed')],
  },
  {
    name: 'no answer at all',
    id: 'c07',
    withinMs: 14_000,
    faults: [{ ...ALWAYS, kind: 'no-answer' }],
    check: (seen) => [...wholeAnswer(seen, second('c07')), ...callsOf(seen, primary('c07'), 1, 1)],
  },
  {
    name: 'first token after 20 s',
    id: 'c08',
    withinMs: 14_000,
    faults: [{ ...ALWAYS, kind: 'slow-first-token', delayMs: 20_000 }],
    check: (seen) => [
      ...wholeAnswer(seen, second('c08')),
      ...callsOf(seen, primary('c08'), 1, 1),
      ...errorsOf(seen, 'provider_first_token_timeout'),
    ],
  },
  {
    name: 'stream cut in the middle, once',
    id: 'c09',
    withinMs: 5_000,
    faults: [{ ...ONCE, kind: 'cut', afterTokens: 40 }],
    check: (seen) => [...wholeAnswer(seen, primary('c09')), ...paidOnce(seen)],
  },
  {
    name: 'stream cut in the middle, always',
    id: 'c10',
    withinMs: 10_000,
    faults: [{ ...ALWAYS, kind: 'cut', afterTokens: 20 }],
    check: (seen) => [...wholeAnswer(seen, second('c10')), ...callsOf(seen, primary('c10'), 2, 3)],
  },
  {
    name: 'stream cut, the next model can only start over',
    id: 'c11',
    withinMs: 10_000,
    providers: (url) => ({
      beginner: {
        wire: 'anthropic-messages',
        baseUrl: url,
        capabilities: { prefill: false, instruct: false },
      },
    }),
    route: ['simulated/c11', 'beginner/c11'],
    faults: [{ ...ALWAYS, kind: 'cut', afterTokens: 20 }],
    check: (seen) => wholeAnswer(seen, 'beginner/c11'),
  },
  {
    name: 'stall in the middle, once',
    id: 'c12',
    // Somewhat more than a silence in the middle of an answer may last.
    withinMs: DEFAULTS.betweenTokensMs + 5_000,
    faults: [{ ...ONCE, kind: 'stall', afterTokens: 20 }],
    check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_stalled')],
  },
  {
    name: 'stall in the middle, at a model that cannot be resumed',
    id: 'c13',
    // Somewhat more than a silence in the middle of an answer may last.
    withinMs: DEFAULTS.betweenTokensMs + 5_000,
    route: ['simulated-messages/c13', 'simulated/c13'],
    faults: [{ kind: 'stall', afterTokens: 20, wire: 'anthropic-messages', times: 1_000 }],
    check: (seen) => [...wholeAnswer(seen, primary('c13')), ...callsOf(seen, second('c13'), 1, 1)],
  },
  {
    name: 'malformed chunk',
    id: 'c14',
    withinMs: 8_000,
    faults: [{ ...ONCE, kind: 'malformed-chunk', afterTokens: 10 }],
    check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_malformed')],
  },
  {
    name: 'in-band error after a 200',
    id: 'c15',
    withinMs: 8_000,
    faults: [{ ...ONCE, kind: 'in-band-error', afterTokens: 10 }],
    check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_unavailable')],
  },
  {
    name: 'error after the first event, before content',
    id: 'c16',
    withinMs: 8_000,
    faults: [{ ...ONCE, kind: 'error-after-first-event' }],
    check: (seen) => [...wholeAnswer(seen), ...errorsOf(seen, 'provider_unavailable')],
  },
  {
    name: '401 on one of two keys',
    id: 'c17',
    withinMs: 5_000,
    providers: (url) => ({
      'two-keys': {
        wire: 'openai-responses',
        baseUrl: `${url}/v1`,
        keys: [{ env: 'PROVE_BAD_KEY', weight: 1_000 }, { env: 'PROVE_GOOD_KEY' }],
      },
    }),
    route: ['two-keys/c17'],
    faults: [{ ...ALWAYS, kind: 'status', status: 401, key: 'sk-prove-bad-0123456789' }],
    check: async (seen) => {
      const response = await seen.stack.api.send('/v1/providers');
      const text = await response.text();
      return [
        ...wholeAnswer(seen, 'two-keys/c17'),
        ...callsOf(seen, 'two-keys/c17', 2, 2),
        ...(/PROVE_BAD_KEY#\w+","state":"refused","untilMs":\d+,"refusedBy":401/.test(text)
          ? []
          : ['GET /v1/providers does not tell the refused key']),
        ...(text.includes('sk-prove') ? ['GET /v1/providers tells a key'] : []),
      ];
    },
  },
  {
    name: 'context length: no blind retry, the larger model answers',
    id: 'c18',
    withinMs: 5_000,
    route: {
      candidates: ['simulated/c18', 'simulated-messages/c18'],
      onContextLength: ['simulated-messages/large'],
    },
    faults: [{ ...ALWAYS, kind: 'context-length' }],
    check: (seen) => [
      ...wholeAnswer(seen, 'simulated-messages/large'),
      ...callsOf(seen, primary('c18'), 1, 1),
      ...callsOf(seen, second('c18'), 0, 0),
    ],
  },
  {
    name: 'content filter: the end of the answer, not routed around',
    id: 'c19',
    withinMs: 5_000,
    faults: [{ ...ALWAYS, kind: 'content-filter' }],
    check: (seen) => [
      ...endsWith(seen, 'content-filter'),
      ...callsOf(seen, primary('c19'), 1, 1),
      ...callsOf(seen, second('c19'), 0, 0),
    ],
  },
  {
    name: 'the next model rejects prefill',
    id: 'c20',
    withinMs: 8_000,
    faults: [
      { ...ALWAYS, kind: 'cut', afterTokens: 20 },
      { kind: 'refuse-prefill', wire: 'anthropic-messages', times: 1_000 },
    ],
    check: (seen) => wholeAnswer(seen, second('c20')),
  },
  {
    name: 'empty completion',
    id: 'c21',
    withinMs: 8_000,
    faults: [{ ...ALWAYS, kind: 'empty' }],
    check: (seen) => [...wholeAnswer(seen, second('c21')), ...errorsOf(seen, 'provider_empty')],
  },
  {
    name: 'truncated body without terminal event',
    id: 'c22',
    withinMs: 8_000,
    route: ['simulated-chat/c22', second('c22')],
    faults: [{ kind: 'missing-terminal', times: 1_000 }],
    // No model ever ends its answer: whatever came, it must not be shown as a success.
    check: (seen) => cleanError(seen, 'all_candidates_failed'),
  },
  {
    name: 'truncated body without terminal event, of a response that the provider has stored as completed',
    id: 'c27',
    withinMs: 8_000,
    faults: [{ ...ALWAYS, kind: 'missing-terminal' }],
    check: (seen) => [...wholeAnswer(seen, primary('c27')), ...paidOnce(seen)],
  },
  {
    name: 'missing usage',
    id: 'c23',
    withinMs: 5_000,
    faults: [{ ...ALWAYS, kind: 'no-usage' }],
    check: (seen) => [...wholeAnswer(seen, primary('c23')), ...usageIsCounted(seen)],
  },
  {
    name: 'wrong usage',
    id: 'c24',
    withinMs: 5_000,
    faults: [{ ...ALWAYS, kind: 'wrong-usage' }],
    check: (seen) => [...wholeAnswer(seen, primary('c24')), ...usageIsCounted(seen)],
  },
  {
    name: 'whole chain down: the stored answer, marked as degraded',
    id: 'c25',
    withinMs: 10_000,
    request: { cache: 'on' },
    prepare: storeAnswer,
    faults: [
      { ...ALWAYS, kind: 'status', status: 500 },
      { kind: 'status', status: 529, wire: 'anthropic-messages', times: 1_000 },
    ],
    check: (seen) => {
      const hit = seen.events.find(({ type }) => type === 'cache-hit');
      const last = seen.events.at(-1);
      const isMarked = last?.type === 'generation-end' && last.degraded === true && last.cached;
      const tellsAge =
        hit?.type === 'cache-hit' && hit.degraded === true && hit.similarity === 1 && hit.ageMs > 0;
      return [
        ...(seen.text === seen.expected ? [] : ['the text is not the stored one']),
        ...(isMarked ? [] : ['the end is not marked as degraded']),
        ...(tellsAge ? [] : ['age and similarity are not reported']),
      ];
    },
  },
  {
    name: 'whole chain down, nothing stored: a clean error',
    id: 'c26',
    withinMs: 10_000,
    request: { cache: 'on' },
    faults: [
      { ...ALWAYS, kind: 'status', status: 503 },
      { kind: 'status', status: 529, wire: 'anthropic-messages', times: 1_000 },
    ],
    check: (seen) => [
      ...cleanError(seen, 'all_candidates_failed'),
      ...callsOf(seen, primary('c26'), 1, 3),
      ...callsOf(seen, second('c26'), 1, 3),
    ],
  },
];

function endsWith({ events }: Seen, reason: FinishReason): string[] {
  const last = events.at(-1);
  const isRight = last?.type === 'generation-end' && last.finishReason === reason;
  return isRight ? [] : [`ended with ${JSON.stringify(last)}, not by ${reason}`];
}

/** The response was resumed: the provider was not made to generate anything twice. */
function paidOnce({ events, expectedTokens }: Seen): string[] {
  const last = events.at(-1);
  const tokens = last !== undefined && 'usage' in last ? last.usage.outputTokens : 0;
  return tokens <= expectedTokens ? [] : [`${tokens} tokens were paid for an answer of ${expectedTokens}`];
}

/** If the provider reports no usage, or an impossible one, we count it and mark it as an estimate. */
function usageIsCounted({ events, expected }: Seen): string[] {
  const last = events.at(-1);
  if (last === undefined || !('usage' in last)) return ['no usage is reported'];
  const { estimated, outputTokens, cachedInputTokens } = last.usage;
  const isNear =
    outputTokens > expected.length / 10 && outputTokens < expected.length && cachedInputTokens === 0;
  return [
    ...(estimated ? [] : ['the usage is not said to be an estimate']),
    ...(isNear ? [] : [`${outputTokens} tokens are billed for ${expected.length} characters`]),
  ];
}
