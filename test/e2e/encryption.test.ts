import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { createClient } from '../../clients/typescript/index.ts';
import { workflowId } from '../../contracts/names.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { temporalText } from '../harness/stored-text.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const OLD = `2025:${randomBytes(32).toString('base64')}`;
const NEW = `2026:${randomBytes(32).toString('base64')}`;
/** In the argument, the result, the failure, the summary: what a history says where nothing is encrypted. */
const TELLING = ['"generationId"', '"outputTokens"', 'The call failed with', 'characters by'];
const METERED = 'metered/sim-large';
const WINDOW_MS = 1_500;
let stack: Stack;
const runs: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    env: { UNBROKEN_ENCRYPTION_KEYS: OLD, METERED_KEY: 'sk-metered-0123456789' },
    config: (simulatorUrl) => ({
      providers: {
        metered: {
          wire: 'openai-responses',
          baseUrl: `${simulatorUrl}/v1`,
          keys: [{ env: 'METERED_KEY', limits: { requests: 1, windowMs: WINDOW_MS } }],
        },
      },
    }),
  });
  await generateAllKinds(stack, runs);
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

/** One that ends well, one that fails in between and at last, one that is cancelled. */
async function generateAllKinds(on: Stack, ids: string[]): Promise<void> {
  const run = async (tokens: number, model: string) => {
    const input = promptOf({ tokens, delayMs: 10 });
    const body = await on.api.submit({ input, model, cache: 'off' });
    ids.push(body.id);
    return startReading(on.api, body.id);
  };
  await on.sim.fault({ kind: 'status', status: 400, wire: 'openai' });
  const failed = await (await run(20, 'simulated/sim-large')).whole;
  const whole = await (await run(20, 'simulated/sim-large')).whole;
  const long = await run(2_000, 'simulated-messages/sim-large');
  await long.deltas(3);
  await on.api.cancel(long.id);
  const ends = [failed, whole, await long.whole].map((events) => events.at(-1)?.type);
  expect(ends).toEqual(['generation-error', 'generation-end', 'generation-cancel']);
}

async function payloadsOf(id: string): Promise<Payload[]> {
  const { workflow } = await temporalClient(stack.env);
  const { events } = await workflow.getHandle(workflowId('dev', id)).fetchHistory();
  const started = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return started.map(({ metadata, data }) => ({ metadata: metadata ?? {}, data: data ?? new Uint8Array() }));
}

const asJson = (payloads: readonly Payload[]) =>
  JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
      ),
      data: Buffer.from(data ?? []).toString('base64'),
    })),
  });

const decoded = async (response: Response): Promise<string> => {
  const { payloads } = (await response.json()) as { payloads: { data: string }[] };
  return payloads.map(({ data }) => Buffer.from(data, 'base64').toString()).join('\n');
};

describe('with encryption', () => {
  test('a history says nothing of what it says without', async () => {
    const idsOf = (ids: readonly string[]) => ids.map((id) => workflowId('dev', id));
    const text = await temporalText(stack.env, idsOf(runs));
    expect(TELLING.filter((phrase) => text.includes(phrase))).toEqual([]);
    const plain = await startStack();
    try {
      const ids: string[] = [];
      await generateAllKinds(plain, ids);
      const plainText = await temporalText(plain.env, idsOf(ids));
      expect(TELLING.filter((phrase) => plainText.includes(phrase))).toEqual(TELLING);
    } finally {
      await plain.stop();
    }
  });

  test('a generation that waits for room at a provider gets it', async () => {
    const submit = async () => {
      const request = { input: promptOf({ tokens: 5, delayMs: 1 }), model: METERED, cache: 'off' } as const;
      return startReading(stack.api, (await stack.api.submit(request)).id);
    };
    const readings = await Promise.all([submit(), submit(), submit()]);
    const ends = await Promise.all(readings.map(async ({ whole }) => (await whole).at(-1)?.type));
    expect(ends).toEqual(['generation-end', 'generation-end', 'generation-end']);
    const ids = readings.map(({ id }) => workflowId('dev', id));
    const { workflow } = await temporalClient(stack.env);
    const histories = await Promise.all(ids.map((id) => workflow.getHandle(id).fetchHistory()));
    expect(JSON.stringify(histories)).toContain('/room/metered');
    const text = await temporalText(stack.env, ids);
    expect(TELLING.filter((phrase) => text.includes(phrase))).toEqual([]);
  });

  test('an erased user is gone, histories and all', async () => {
    const user = `erased-${randomUUID().slice(0, 8)}`;
    const key = await stack.addKey({ user, scopes: ['generate'] });
    const client = createClient({ baseUrl: stack.api.url, apiKey: key });
    const submit = (tokens: number) =>
      client.submit({ input: promptOf({ tokens, delayMs: 20 }), cache: 'off' }).then(({ id }) => id);
    const ids = [await submit(5), await submit(3_000)];
    const api = connectApi(stack.api.url, key);
    await startReading(api, ids[0] ?? '').whole;
    await startReading(api, ids[1] ?? '').deltas(3);
    const receipt = await client.erasures.wait((await client.erasures.user(user)).id);
    expect(receipt.removed).toContainEqual({ kind: 'generations', count: 2 });
    expect(receipt.removed).toContainEqual({ kind: 'runs', count: 2 });
    const { workflow } = await temporalClient(stack.env);
    for (const id of ids) {
      expect((await api.view(id)).status).toBe(404);
      await waitFor('its history to be gone', () =>
        workflow
          .getHandle(workflowId('dev', id))
          .describe()
          .then(
            () => false,
            ({ name }: Error) => name === 'WorkflowNotFoundError',
          ),
      );
    }
  });

  test('an admin sees it by the codec endpoint, no other caller does', async () => {
    const body = asJson(await payloadsOf(runs[1] ?? ''));
    const answer = await stack.api.send('/v1/codec/decode', { method: 'POST', body });
    expect(answer.status).toBe(200);
    expect(await decoded(answer)).toContain(`"generationId":"${runs[1]}"`);
    const plain = connectApi(stack.api.url, await stack.addKey({ user: 'ann' }));
    expect((await plain.send('/v1/codec/decode', { method: 'POST', body })).status).toBe(403);
    expect((await fetch(`${stack.api.url}/v1/codec/decode`, { method: 'POST', body })).status).toBe(401);
  });

  test('after a rotation of the keys, old histories are still read; without the old key the error says so', async () => {
    const body = asJson(await payloadsOf(runs[1] ?? ''));
    for (const [keys, status] of [
      [`${NEW},${OLD}`, 200],
      [NEW, 400],
    ] as const) {
      const rotated = await startStack({ workers: 0, env: { UNBROKEN_ENCRYPTION_KEYS: keys } });
      try {
        const answer = await rotated.api.send('/v1/codec/decode', { method: 'POST', body });
        expect(answer.status).toBe(status);
        if (status === 200) expect(await decoded(answer)).toContain(runs[1]);
        else expect(await answer.text()).toContain('UNBROKEN_ENCRYPTION_KEYS');
      } finally {
        await rotated.stop();
      }
    }
  });
});

describe('the browser of an admin', () => {
  const giveKey = (key: string) =>
    fetch(`${stack.api.url}/v1/codec/session`, { method: 'POST', body: new URLSearchParams({ key }) });
  const decode = (cookie: string) =>
    fetch(`${stack.api.url}/v1/codec/decode`, {
      method: 'POST',
      body: '{"payloads":[]}',
      headers: { cookie, 'content-type': 'application/json' },
    });

  test('decrypts by a cookie that is good for nothing else, until its key is revoked', async () => {
    const key = await stack.addKey({ user: 'root', scopes: ['admin'] });
    const payloads = await giveKey(key);
    const header = payloads.headers.get('set-cookie') ?? '';
    expect(header).toMatch(/HttpOnly.*SameSite=Strict/);
    expect(header).toContain('Path=/v1/codec');
    expect(header).not.toContain(key);
    const cookie = header.split(';')[0] ?? '';
    expect((await decode(cookie)).status).toBe(200);
    expect((await fetch(`${stack.api.url}/v1/keys`, { headers: { cookie } })).status).toBe(401);
    await stack.api.send(`/v1/keys/key_${key.split('_')[1]}`, { method: 'DELETE' });
    expect((await decode(cookie)).status).toBe(401);
  });

  test('gets no cookie for a key without the scope, or for none', async () => {
    const plain = await giveKey(await stack.addKey({ user: 'ann' }));
    expect([plain.status, plain.headers.get('set-cookie')]).toEqual([403, null]);
    expect((await giveKey('ub_unknown_key')).status).toBe(401);
    expect((await decode('unbroken_codec=ut_x')).status).toBe(401);
    expect((await fetch(`${stack.api.url}/v1/codec/session`)).headers.get('content-type')).toContain(
      'text/html',
    );
  });
});
