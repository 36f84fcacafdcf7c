/** A finished generation whose log has left Redis: for every reader and every format it is what it was. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { createClient, type UnbrokenClient } from '../../clients/typescript/index.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket } from '../harness/stream-socket.ts';
import { closeTemporalClients } from '../harness/streaming-worker.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
const folder = mkdtempSync(join(tmpdir(), 'unbroken-archive-'));
let stack: Stack;
let redis: RedisConnection;
let ann: UnbrokenApi;
let client: UnbrokenClient;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    config: { objectStore: { folder }, archive: { afterMs: 200 } },
  });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  ann = connectApi(stack.api.url, await stack.addKey({ tenant: 'dev', user: 'ann', scopes: ['generate'] }));
  client = createClient({ baseUrl: ann.url, apiKey: ann.key });
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isArchived = async (id: string) => (await redis.exists(REDIS_KEYS.logStream(id))) === 0;
const untilArchived = (id: string) => waitFor(`the archive has ${id}`, () => isArchived(id));

async function archivedAnswer(tokens = 40, more: { maxOutputTokens?: number } = {}) {
  const input = promptOf({ tokens, delayMs: 0 });
  const request = { input, model: MODEL, cache: 'off' as const, metadata: { topic: 'x' }, ...more };
  // Without the key that the client sends, which Redis would remember.
  const { id } = (await ann.create(request)).body;
  const events = await startReading(ann, id).whole;
  const view = (await ann.view(id)).body;
  await untilArchived(id);
  return { id, input, events, text: textOf(events), view };
}

test('it reads the same by every route: whole, from a cursor, in pages, by WebSocket and in the list', async () => {
  const { id, events, text, view } = await archivedAnswer();
  expect(await redis.keys(`ub:log:{${id}}:*`)).toEqual([]);
  expect((await ann.view(id)).body).toEqual(view);
  const again = await startReading(ann, id).whole;
  expect([faultsOf(again), textOf(again), again.at(-1)]).toEqual([[], text, events.at(-1)]);
  const cursor = events[Math.floor(events.length / 2)]?.seq ?? 0;
  const rest = await ann.readOnce(id, cursor);
  expect([rest[0]?.from ?? rest[0]?.seq, rest.at(-1)?.seq]).toEqual([cursor + 1, events.at(-1)?.seq]);
  const at = events.find(({ seq }) => seq === cursor)?.at;
  const page = (await (await ann.send(`/v1/generations/${id}/pages/0`)).json()) as { events: unknown[] };
  expect(page.events).toHaveLength((events.at(-1)?.seq ?? 0) + 1);
  expect(page.events[cursor]).toMatchObject({ seq: cursor, at });
  const socket = await openStreamSocket(ann);
  socket.send({ type: 'subscribe', generationId: id, after: -1 });
  await waitFor('the end by WebSocket', () => socket.events(id).at(-1)?.type === 'generation-end');
  expect(textOf(socket.events(id))).toBe(text);
  await socket.close();
  const listed = (await (await ann.send('/v1/generations?limit=50')).json()) as { data: { id: string }[] };
  expect(listed.data.find((generation) => generation.id === id)).toMatchObject({ ...view, text: null });
  expect((await ann.send(`/v1/generations/${id}/events?after=${(events.at(-1)?.seq ?? 0) + 5}`)).status).toBe(
    400,
  );
});

test('it is continued and followed up, and the same Idempotency-Key joins it', async () => {
  const { id, input, text } = await archivedAnswer(60, { maxOutputTokens: 20 });
  const generation = await client.continue(id, { maxOutputTokens: 100 });
  const continued = textOf(await startReading(ann, generation.id).whole);
  expect([continued.startsWith(text), continued]).toEqual([true, (await stack.sim.text(input)).text]);
  const openai = new OpenAI({ apiKey: ann.key, baseURL: `${ann.url}/v1`, maxRetries: 0 });
  const first = await openai.responses.create({ model: MODEL, input: promptOf({ tokens: 20, delayMs: 0 }) });
  await untilArchived(first.id.replace('resp_', 'gen_'));
  expect((await openai.responses.retrieve(first.id)).output_text).toBe(first.output_text);
  const items = await openai.responses.inputItems.list(first.id);
  expect(items.data).toHaveLength(1);
  const second = await openai.responses.create({
    model: MODEL,
    input: promptOf({ tokens: 10, delayMs: 0 }),
    previous_response_id: first.id,
  });
  expect(second.output_text).not.toBe('');
  const request = { input: promptOf({ tokens: 10, delayMs: 0 }), model: MODEL, cache: 'off' as const };
  const created = await ann.create(request, 'the same key');
  await startReading(ann, created.body.id).whole;
  await untilArchived(created.body.id);
  const joined = await ann.create(request, 'the same key');
  expect(joined.body.id).toBe(created.body.id);
  expect(textOf(await startReading(ann, joined.body.id).whole)).not.toBe('');
  const conflict = await ann.create({ ...request, input: 'another' }, 'the same key');
  expect(conflict.body.error.code).toBe('idempotency_conflict');
});

test('its owner deletes it, and no copy of its text is left; no other user finds it', async () => {
  const openai = new OpenAI({ apiKey: ann.key, baseURL: `${ann.url}/v1`, maxRetries: 0 });
  const answer = await openai.responses.create({ model: MODEL, input: promptOf({ tokens: 30, delayMs: 0 }) });
  const id = answer.id.replace('resp_', 'gen_');
  await untilArchived(id);
  const bob = connectApi(ann.url, await stack.addKey({ tenant: 'dev', user: 'bob', scopes: ['generate'] }));
  const other = connectApi(
    ann.url,
    await stack.addKey({ tenant: 'other', user: 'ann', scopes: ['generate'] }),
  );
  for (const stranger of [bob, other]) expect((await stranger.view(id)).status).toBe(404);
  expect((await ann.view(id)).status).toBe(200);
  await openai.responses.delete(answer.id);
  expect((await ann.view(id)).status).toBe(404);
  await expect(openai.responses.retrieve(answer.id)).rejects.toMatchObject({ status: 404 });
  expect(filesOf(join(folder, 'inputs')).filter((name) => name === id)).toEqual([]);
});

test('workers that are killed while they archive lose no generation', async () => {
  const inputs = Array.from({ length: 24 }, () => promptOf({ tokens: 30, delayMs: 0 }));
  const ids: string[] = [];
  for (const input of inputs) ids.push((await client.submit({ input, model: MODEL, cache: 'off' })).id);
  const readings = ids.map((id) => startReading(ann, id));
  const texts = await Promise.all(readings.map(async ({ whole }) => textOf(await whole)));
  for (const worker of stack.workers) {
    await worker.kill();
    await worker.restart();
    for (const [index, id] of ids.entries()) expect((await ann.view(id)).body.text).toBe(texts[index]);
  }
});

function filesOf(path: string): string[] {
  return existsSync(path)
    ? readdirSync(path, { recursive: true }).map((name) => String(name).split('/').at(-1) ?? '')
    : [];
}
