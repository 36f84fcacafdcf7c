/**
 * Runs that end in every way there is, with keys and prompts that can be recognised anywhere; then all that the system
 * wrote is searched for them.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { workflowId } from '../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { type EchoingProvider, startEchoingProvider } from '../harness/echoing-provider.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { redisText, temporalText } from '../harness/stored-text.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PROMPT = 'XYZZY-PLUGH-PROMPT';
const SYSTEM = 'XYZZY-PLUGH-SYSTEM';
const IDEMPOTENCY = 'XYZZY-PLUGH-IDEMPOTENCY';
const PROVIDER_KEY = 'sk-plugh-0123456789-XYZZY-PROVIDER';
const input = (sim: string) => `Tell me of ${PROMPT}. [[sim ${sim}]]`;

let stack: Stack;
let redis: RedisConnection;
const echoes: EchoingProvider[] = [];
const runs: string[] = [];
const answers: string[] = [];
const errorBodies: string[] = [];
const secrets: string[] = [SYSTEM, PROMPT, IDEMPOTENCY, PROVIDER_KEY];
const clientKeys: string[] = [];

beforeAll(async () => {
  echoes.push(await startEchoingProvider(400), await startEchoingProvider(503));
  const [refusing, failing] = echoes.map(({ url }) => url);
  stack = await startStack({
    env: { ECHO_KEY: PROVIDER_KEY, UNBROKEN_LOG_LEVEL: 'trace' },
    config: {
      budgets: { limits: [{ per: 'user', window: 'day', amount: 50_000 }] },
      providers: {
        refusing: { wire: 'openai-responses', baseUrl: `${refusing}/v1`, apiKeyEnv: 'ECHO_KEY' },
        failing: { wire: 'anthropic-messages', baseUrl: failing, apiKeyEnv: 'ECHO_KEY' },
      },
      routes: { worst: ['refusing/gpt-5', 'failing/claude', 'simulated/sim-large'] },
    },
  });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  clientKeys.push(stack.api.key, await stack.addKey({ user: 'ann', scopes: ['generate'] }));
  await runAllKinds();
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
  await Promise.all(echoes.map((echo) => echo.stop()));
});

async function runAllKinds(): Promise<void> {
  const ask = async (sim: string, more: object = {}) => {
    const request = { input: input(sim), system: SYSTEM, cache: 'off' as const, user: 'grace', ...more };
    const { body } = await stack.api.create(request, `${IDEMPOTENCY}-${runs.length}`);
    runs.push(body.id);
    return body.id;
  };
  const whole = async (id: string) => {
    const events = await startReading(stack.api, id).whole;
    const last = events.at(-1);
    if (last?.type === 'generation-error') errorBodies.push(JSON.stringify(last));
    return last?.type;
  };
  const ends = [
    await whole(await ask('tokens=60 delay_ms=0')),
    await whole(await ask('tokens=60 delay_ms=0', { model: 'simulated-messages/sim-large', cache: 'on' })),
    await whole(await ask('tokens=60 delay_ms=0', { model: 'refusing/gpt-5' })),
    await whole(await ask('tokens=60 delay_ms=0', { model: 'failing/claude' })),
    await whole(await ask('tokens=60 delay_ms=0', { route: 'worst' })),
  ];
  const cancelled = await ask('tokens=2000 delay_ms=10');
  const reading = startReading(stack.api, cancelled);
  await reading.deltas(5);
  await stack.api.cancel(cancelled);
  await reading.whole;
  // Last, as so many faults open the circuit of the provider.
  for (const kind of ['cut', 'in-band-error', 'malformed-chunk', 'context-length'] as const) {
    await stack.sim.fault({ kind, afterTokens: 10 });
    ends.push(await whole(await ask('tokens=40 delay_ms=0', { model: 'simulated/sim-large' })));
  }
  expect(new Set(ends)).toEqual(new Set(['generation-end', 'generation-error']));
  answers.push((await stack.sim.text(input('tokens=60 delay_ms=0'))).text.slice(0, 60));
  await refuseAllKinds();
  const temporal = await temporalClient(stack.env);
  for (const id of runs) {
    await temporal.workflow.getHandle(workflowId('dev', id)).result();
  }
}

/** Requests that are refused before they begin; what they answer is kept. */
async function refuseAllKinds(): Promise<void> {
  const refused = async (path: string, init: RequestInit, url = stack.api) => {
    const response = await url.send(path, init);
    expect(response.status).toBeGreaterThanOrEqual(400);
    errorBodies.push(await response.text());
  };
  const post = (body: string) => ({ method: 'POST', body });
  await refused('/v1/generations', post(`{"input": "${PROMPT}"`));
  await refused('/v1/generations', post(JSON.stringify({ input: [], system: SYSTEM })));
  await refused('/v1/generations', post(JSON.stringify({ input: PROMPT, temperature: SYSTEM })));
  await refused(
    '/v1/generations',
    post(JSON.stringify({ input: PROMPT, model: 'nobody/x', system: SYSTEM })),
  );
  await refused(
    '/v1/generations',
    post(JSON.stringify({ input: PROMPT.repeat(10_000), maxOutputTokens: 49_999, user: 'grace' })),
  );
  await refused('/v1/generations', {
    ...post(JSON.stringify({ input: PROMPT })),
    headers: { 'idempotency-key': `${IDEMPOTENCY}-0` },
  });
  await refused('/v1/codec/decode', post(JSON.stringify({ payloads: PROMPT })));
  await refused('/v1/generations', {}, connectApi(stack.api.url, `${clientKeys[1]}x`));
  const socket = new WebSocket(`${stack.api.url.replace('http', 'ws')}/v1/stream`, {
    headers: { authorization: `Bearer ${stack.api.key}` },
  });
  socket.on('open', () => socket.send(`{"type":"${PROMPT}"}`));
  await waitFor('an answer of the socket', () => {
    socket.once('message', (data) => errorBodies.push(String(data)));
    return errorBodies.at(-1)?.startsWith('{"type":"error"');
  });
  socket.terminate();
}

const foundIn = (text: string, wanted: readonly string[]) => wanted.filter((secret) => text.includes(secret));

describe('neither prompts nor answers nor keys', () => {
  test('are in any history or description of Temporal', async () => {
    const text = await temporalText(
      stack.env,
      runs.map((id) => workflowId('dev', id)),
    );
    // The search finds what is there.
    expect(foundIn(text, ['grace', runs[0] ?? '', 'provider_bad_request'])).toHaveLength(3);
    expect(foundIn(text, [...secrets, ...clientKeys, ...answers])).toEqual([]);
  });

  test('are in the log of any process, down to its last detail', () => {
    const text = [...stack.workers, ...stack.apis].map((seat) => seat.log()).join('\n');
    expect(text).toContain('ready');
    expect(foundIn(text, [...secrets, ...clientKeys, ...answers])).toEqual([]);
  });

  test('are in the name of any key of Redis, and keys of callers and providers in no value either', async () => {
    const names = await redisText(redis, () => false);
    expect(foundIn(names, [runs[0] ?? ''])).toHaveLength(1);
    expect(foundIn(names, [...secrets, ...clientKeys, ...answers])).toEqual([]);
    const values = await redisText(redis);
    // A prompt is there until its retention ends: so the search would find a key.
    expect(foundIn(values, [PROMPT])).toHaveLength(1);
    expect(foundIn(values, [PROVIDER_KEY, IDEMPOTENCY, ...clientKeys])).toEqual([]);
  });

  test('of others are in any error that a caller gets', () => {
    expect(errorBodies.length).toBeGreaterThan(10);
    expect(echoes.every(({ echoed }) => echoed > 0)).toBe(true);
    expect(foundIn(errorBodies.join('\n'), [PROVIDER_KEY, IDEMPOTENCY, ...clientKeys])).toEqual([]);
  });
});
