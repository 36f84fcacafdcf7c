/** What a provider does, and what the caller of the product must then receive. */
import type { FixtureResponse } from '@copilotkit/aimock';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import type { GenerationRequest } from '../../../contracts/generation.ts';
import type { Script, Upstream, UpstreamWire } from './start-upstream.ts';

export interface UpstreamRow {
  readonly name: string;
  readonly script: Script;
  /** Beside a question. */
  readonly request?: Partial<GenerationRequest>;
  /** Whether CI runs it. */
  readonly isQuick?: boolean;
  readonly check: (seen: Seen) => readonly string[];
}

interface Seen {
  readonly wire: UpstreamWire;
  readonly events: readonly GenerationEvent[];
  readonly upstream: Upstream;
  readonly ms: number;
}

const TEXT =
  'The harbour is quiet at six, and the boats come back with the tide before the market opens again.';
const WHOLE = { response: { content: TEXT } } as const;
const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const WEATHER = { name: 'get_weather', parameters: CITY };
const TIME = { name: 'get_time', parameters: CITY };
const ARGUMENTS = '{"city":"Oslo"}';
const RETRY_AFTER_SECONDS = 2;
const MOST_CALLS = 6;

const failure = (status: number, message: string, code: string): FixtureResponse => ({
  error: { message, type: 'invalid_request_error', code },
  status,
});

const expectEqual = (what: string, actual: unknown, expected: unknown): string[] =>
  JSON.stringify(actual) === JSON.stringify(expected)
    ? []
    : [`${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`];

const hasText = ({ events }: Seen, expected = TEXT) => expectEqual('the text', textOf(events), expected);
const hasCalls = ({ upstream }: Seen, count: number) =>
  expectEqual('the number of calls', upstream.calls(), count);

function endsBy({ events }: Seen, reason: string): string[] {
  const last = events.at(-1);
  const end = last?.type === 'generation-end' ? last.finishReason : describe(last);
  return expectEqual('the end', end, reason);
}

function failsBy({ events }: Seen, ...codes: string[]): string[] {
  const last = events.at(-1);
  const codesSeen = events.flatMap((event) =>
    event.type === 'provider-error' ? [event.code as string] : [],
  );
  if (last?.type !== 'generation-error') return [`it ended by ${describe(last)}, not by an error`];
  return codes.some((code) => code === last.error.code || codesSeen.includes(code))
    ? []
    : [`the error is ${last.error.code} after ${codesSeen.join(', ')}, not ${codes.join(' or ')}`];
}

function describe(last: GenerationEvent | undefined): string {
  if (last?.type === 'generation-error') return `${last.error.code}: ${last.error.message}`;
  return last?.type ?? 'nothing';
}

/** The calls that the reader got, by their names. */
function toolCallsOf(events: readonly GenerationEvent[]): Record<string, string> {
  const calls = new Map<string, { name: string; written: string }>();
  for (const event of events) {
    if (event.type === 'text-reset') calls.clear();
    if (event.type !== 'tool-call-delta') continue;
    const { name = '', written = '' } = calls.get(event.id) ?? {};
    calls.set(event.id, { name: event.name ?? name, written: written + (event.arguments ?? '') });
  }
  return Object.fromEntries([...calls.values()].map(({ name, written }) => [name, written]));
}

const reasoningOf = (events: readonly GenerationEvent[]) =>
  events.map((event) => (event.type === 'reasoning-delta' ? event.text : '')).join('');

export const UPSTREAM_ROWS: readonly UpstreamRow[] = [
  {
    name: 'plain',
    isQuick: true,
    script: [WHOLE],
    check: (seen) => [...hasText(seen), ...endsBy(seen, 'stop'), ...hasCalls(seen, 1)],
  },
  {
    name: 'two turns',
    isQuick: true,
    script: [WHOLE],
    request: {
      input: [
        { role: 'user', content: 'First.' },
        { role: 'assistant', content: 'An answer.' },
        { role: 'user', content: 'Second.' },
      ],
    },
    check: (seen) => [
      ...hasText(seen),
      ...expectEqual(
        'the roles that arrived',
        seen.upstream.lastMessages().map(({ role }) => role),
        ['user', 'assistant', 'user'],
      ),
    ],
  },
  {
    name: 'JSON schema',
    isQuick: true,
    script: [{ response: { content: ARGUMENTS } }],
    request: { output: { name: 'place', schema: CITY } },
    check: (seen) => [...hasText(seen, ARGUMENTS), ...endsBy(seen, 'stop')],
  },
  {
    name: 'length',
    script: [{ response: { content: TEXT, finishReason: 'length' } }],
    check: (seen) => [...hasText(seen), ...endsBy(seen, 'length'), ...hasCalls(seen, 1)],
  },
  {
    name: 'a tool call',
    isQuick: true,
    script: [{ response: { toolCalls: [{ name: 'get_weather', arguments: ARGUMENTS }] } }],
    request: { tools: [WEATHER] },
    check: (seen) => [
      ...expectEqual('the tool calls', toolCallsOf(seen.events), { get_weather: ARGUMENTS }),
      ...endsBy(seen, 'tool-calls'),
      ...hasCalls(seen, 1),
    ],
  },
  {
    name: 'text and two tool calls',
    script: [
      {
        response: {
          content: TEXT,
          toolCalls: [
            { name: 'get_weather', arguments: ARGUMENTS },
            { name: 'get_time', arguments: ARGUMENTS },
          ],
        },
      },
    ],
    request: { tools: [WEATHER, TIME] },
    check: (seen) => [
      ...hasText(seen),
      ...expectEqual('the tool calls', toolCallsOf(seen.events), {
        get_weather: ARGUMENTS,
        get_time: ARGUMENTS,
      }),
      ...endsBy(seen, 'tool-calls'),
    ],
  },
  {
    name: "a tool's result",
    isQuick: true,
    script: [WHOLE],
    request: {
      tools: [WEATHER],
      input: [
        { role: 'user', content: 'Rain?' },
        {
          role: 'assistant',
          content: [{ type: 'tool-call', id: 'call_1', name: 'get_weather', arguments: ARGUMENTS }],
        },
        { role: 'user', content: [{ type: 'tool-result', id: 'call_1', content: 'Rain until noon.' }] },
      ],
    },
    check: (seen) => [
      ...hasText(seen),
      ...(JSON.stringify(seen.upstream.lastMessages()).includes('Rain until noon.')
        ? []
        : ['the result did not arrive']),
    ],
  },
  {
    name: 'reasoning',
    script: [{ response: { content: TEXT, reasoning: 'The user asks for the harbour.' } }],
    request: { reasoning: { effort: 'high' } },
    // It sends the reasoning of Cohere's models as text.
    check: (seen) =>
      seen.wire === 'cohere'
        ? endsBy(seen, 'stop')
        : [
            ...hasText(seen),
            ...expectEqual('the reasoning', reasoningOf(seen.events), 'The user asks for the harbour.'),
          ],
  },
  {
    name: '400',
    isQuick: true,
    script: [{ response: failure(400, 'The field "x" is wrong.', 'bad_value') }],
    check: (seen) => [
      ...failsBy(seen, 'provider_bad_request'),
      ...hasCalls(seen, 1),
      ...(describe(seen.events.at(-1)).includes('The field "x" is wrong.')
        ? []
        : [`the vendor's words are lost: ${describe(seen.events.at(-1))}`]),
    ],
  },
  {
    name: '401',
    script: [{ response: failure(401, 'Incorrect API key provided.', 'invalid_api_key') }],
    check: (seen) => [...failsBy(seen, 'provider_auth'), ...hasCalls(seen, 1)],
  },
  {
    name: 'context length',
    isQuick: true,
    script: [
      {
        response: failure(
          400,
          "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
          'context_length_exceeded',
        ),
      },
    ],
    check: (seen) => [...failsBy(seen, 'context_length_exceeded'), ...hasCalls(seen, 1)],
  },
  {
    name: '500 once',
    isQuick: true,
    script: [{ response: failure(500, 'Something broke.', 'server_error') }, WHOLE],
    check: (seen) => [...hasText(seen), ...hasCalls(seen, 2)],
  },
  {
    name: '500 always',
    script: [{ response: failure(500, 'Something broke.', 'server_error') }],
    check: (seen) => [...failsBy(seen, 'provider_unavailable'), ...hasCalls(seen, 3)],
  },
  {
    name: 'a connection that breaks in the answer',
    isQuick: true,
    script: [
      { response: { content: TEXT }, options: { chunkSize: 8, truncateAfterChunks: 6, latency: 5 } },
      WHOLE,
    ],
    check: (seen) => [...hasText(seen), ...endsBy(seen, 'stop'), ...hasCalls(seen, 2)],
  },
  {
    name: 'a connection that breaks before the answer',
    script: [{ response: { content: TEXT }, options: { chaos: { disconnectRate: 1 } } }, WHOLE],
    check: (seen) => [...hasText(seen), ...hasCalls(seen, 2)],
  },
  {
    name: 'a dropped request',
    script: [{ response: { content: TEXT }, options: { chaos: { dropRate: 1 } } }, WHOLE],
    check: (seen) => [...hasText(seen), ...hasCalls(seen, 2)],
  },
  {
    name: 'malformed JSON',
    isQuick: true,
    script: [{ response: { content: TEXT }, options: { chaos: { malformedRate: 1 } } }, WHOLE],
    check: (seen) => [...hasText(seen), ...hasCalls(seen, 2)],
  },
  {
    name: 'a slow first token',
    script: [{ response: { content: TEXT }, options: { chaos: { latencyMs: 1_500 } } }],
    check: (seen) => [...hasText(seen), ...hasCalls(seen, 1)],
  },
  {
    name: '429 with Retry-After: 2',
    isQuick: true,
    script: [
      {
        response: {
          ...failure(429, 'Slow down.', 'rate_limit_exceeded'),
          retryAfter: RETRY_AFTER_SECONDS,
        } as FixtureResponse,
      },
      WHOLE,
    ],
    check: (seen) => [
      ...hasText(seen),
      ...hasCalls(seen, 2),
      ...(seen.ms >= RETRY_AFTER_SECONDS * 900 ? [] : [`asked again after ${seen.ms} ms`]),
      // Its header says that the tokens of the key are back after six minutes.
      ...(seen.ms < 60_000 ? [] : [`it took ${seen.ms} ms`]),
    ],
  },
  {
    name: 'a content filter',
    script: [{ response: { content: TEXT, finishReason: 'content_filter' } }],
    check: (seen) => {
      const last = seen.events.at(-1);
      // It reports it as a failure without a reason, which OpenAI never does: the caller learns of a failure.
      if (seen.wire === 'openai-responses') return failsBy(seen, 'provider_unavailable');
      const isFiltered =
        (last?.type === 'generation-end' && ['content-filter', 'refusal'].includes(last.finishReason)) ||
        (last?.type === 'generation-error' && last.error.code === 'content_filtered');
      return [
        ...(isFiltered ? [] : [`it ended by ${describe(last)}`]),
        ...(seen.upstream.calls() < MOST_CALLS ? [] : ['it was asked again and again']),
      ];
    },
  },
];
