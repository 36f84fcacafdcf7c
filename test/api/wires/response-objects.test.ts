/** What a response says of itself: when it was completed, which items were cut, what was chosen, and why it failed. */
import { expect, test } from '@jest/globals';
import { ResponseProjection } from '../../../api/wires/openai-responses/project.ts';
import { mapResponseCreate, responseCreateSchema } from '../../../api/wires/openai-responses/request.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import type { EventBody } from '../../../contracts/events.ts';
import { DEFAULTS } from '../../../contracts/limits.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { callOf, endWith, START, texts, USAGE } from '../../harness/script.ts';

const config = loadConfig({ OPENAI_API_KEY: 'k' });
const generationId = `gen_${'ab'.repeat(16)}`;

function fold(fields: object, ...bodies: readonly (EventBody | readonly EventBody[])[]) {
  const body = responseCreateSchema.parse({ model: 'openai/gpt-5.1', input: 'Hi', ...fields });
  const { request, origin } = mapResponseCreate(config, body, { messages: [], tools: [] });
  const { tools, toolChoice } = request;
  const chosen = {
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
  };
  const input = { messages: [], maxOutputTokens: DEFAULTS.maxOutputTokens, ...chosen };
  const projection = new ResponseProjection({ generationId, origin, metadata: {}, input });
  const start: EventBody = { type: 'generation-start', generationId, route: 'default', user: 'ann' };
  const events = [start, START, ...bodies.flat()].map((own, seq) => ({ ...own, seq, at: 1_000_000 + seq }));
  const frames = events.flatMap((event) => projection.push(event));
  return { frames, response: projection.response() };
}

const failure = (code: ErrorCode, error: object = {}): EventBody => ({
  type: 'generation-error',
  attempts: 1,
  usage: USAGE,
  costMicroUsd: 0,
  error: { code, message: 'So it is.', doc: '', ...error },
});

// https://github.com/ollama/ollama/pull/17239. Source: the reference, "Only present when the status is `completed`".
test('only a completed response has the time of its completion', () => {
  expect(fold({}, texts('a'), endWith()).response.completed_at).toBe(1_000);
  for (const end of [endWith('length'), failure('all_candidates_failed')]) {
    expect(fold({}, texts('a'), end).response.completed_at).toBeNull();
  }
});

// https://github.com/vllm-project/vllm/issues/57998
test.each([
  ['in its second call', [callOf(1, 'call_b', 'time', '{"city":')], ['completed', 'incomplete']],
  ['in its first call', [callOf(1, 'call_b', 'time', '{}')], ['completed', 'incomplete']],
  ['before any call', [], ['incomplete']],
])('of a response that was cut %s, the items before the cut are whole', (_where, calls, statuses) => {
  const first = calls.length === 0 ? [] : [callOf(0, 'call_a', 'weather', '{"city":"Oslo"}')];
  const thought = { type: 'reasoning-delta', text: 'Hm.' } as const;
  const { frames, response } = fold({}, thought, texts('Look:'), ...first, ...calls, endWith('length'));
  const stated = calls.length === 0 ? ['completed', ...statuses] : ['completed', 'completed', ...statuses];
  expect(response.output.map((item) => 'status' in item && item.status)).toEqual(stated);
  const ended = frames.flatMap((frame) => (frame.type === 'response.output_item.done' ? [frame.item] : []));
  expect(ended.map((item) => 'status' in item && item.status)).toEqual(stated);
});

// https://github.com/router-for-me/CLIProxyAPI/pull/4407
test('the tools that were chosen have the names and kinds that their client has given them', () => {
  const patch = { type: 'custom', name: 'apply_patch' };
  const run = { type: 'custom', name: 'exec' };
  const look = { type: 'function', name: 'look' };
  const tools = [patch, look, { type: 'namespace', name: 'terminal', tools: [run] }];
  for (const choice of [patch, look, { ...run, namespace: 'terminal' }]) {
    expect(fold({ tools, tool_choice: choice }).response.tool_choice).toEqual(choice);
    const allowed = { type: 'allowed_tools', mode: 'auto', tools: [choice] };
    expect(fold({ tools, tool_choice: allowed }).response.tool_choice).toEqual(allowed);
  }
});

// https://github.com/just-every/code/issues/42
test.each([
  ['budget_exceeded', 'insufficient_quota'],
  ['provider_quota_exhausted', 'insufficient_quota'],
  ['provider_rate_limited', 'rate_limit_exceeded'],
] as const)('a response that failed with %s says %s, which clients repeat or not', (ours, theirs) => {
  const { response } = fold({}, texts('a'), failure(ours));
  expect(response.error).toMatchObject({ code: theirs, message: expect.stringContaining(ours) });
});

// https://github.com/preloop/preloop/pull/289
test('the call of a tool of a namespace that takes plain text has both of its names', () => {
  const tools = [{ type: 'namespace', name: 'terminal', tools: [{ type: 'custom', name: 'exec' }] }];
  const { response } = fold({ tools }, callOf(0, 'call_a', 'terminal__exec', '{"input":"ls"}'), endWith());
  const call = { type: 'custom_tool_call', name: 'exec', namespace: 'terminal', input: 'ls' };
  expect(response.output).toMatchObject([call]);
});

// openai/codex, `try_parse_retry_after`, reads the wait from these words of the vendor.
test.each<[ErrorCode, object, string]>([
  ['provider_rate_limited', { details: { retryAtMs: 1_004_500 } }, 'So it is. Please try again in 5s.'],
  ['provider_rate_limited', { details: { retryAtMs: 1 } }, 'So it is. Please try again in 0s.'],
  [
    'provider_rate_limited',
    { message: 'Try again in 20ms.', details: { retryAtMs: 1_004_500 } },
    'Try again in 20ms.',
  ],
  ['provider_rate_limited', {}, 'So it is.'],
  ['provider_unavailable', { details: { retryAtMs: 1_004_500 } }, 'So it is.'],
])('a failed response says when to try again: %s %j', (code, error, words) => {
  expect(fold({}, failure(code, error)).response.error?.message).toBe(`${code}: ${words}`);
});
