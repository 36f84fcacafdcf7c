import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import type { NewKey } from '../../contracts/keys.ts';
import { EVENTS_PER_PAGE } from '../../contracts/log-pages.ts';
import { faultsOf } from '../harness/check-events.ts';
import { type ChildHandle, startChild } from '../harness/child-process.ts';
import { type CountingProxy, startCountingProxy } from '../harness/counting-proxy.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PLAN = { tokens: 400, delayMs: 8 };
const PAGES = /\/pages\//;
let stack: Stack;
let api: Seat;
beforeAll(async () => {
  stack = await startStack();
  const [first] = stack.apis;
  if (first === undefined) throw new Error('the stack is empty');
  api = first;
});
afterAll(() => stack?.stop());

// In workerd, and in the runtime of Vercel's edge: what is deployed there, bundled.
describe.each(['cloudflare', 'vercel'])('the relay at the edge of %s', (platform) => {
  let origin: CountingProxy;
  let process: ChildHandle;
  let edge: UnbrokenApi;
  const as = (key: string) => connectApi(edge.url, key);

  beforeAll(async () => {
    origin = await startCountingProxy(stack.api.url);
    process = await startChild(
      `edge of ${platform}`,
      ['test/harness/serve-edge.ts', platform, origin.url],
      {},
    );
    edge = connectApi(process.url, stack.api.key);
  });
  afterAll(() => Promise.all([process?.end(), origin?.stop()]));
  beforeEach(() => stack.sim.forget());

  async function begin(plan = PLAN): Promise<{ id: string; text: string }> {
    const input = promptOf(plan);
    const { text } = await stack.sim.text(input);
    const body = await stack.api.submit({ input, cache: 'off' });
    return { id: body.id, text };
  }

  async function finished(plan = { tokens: 400, delayMs: 0 }): Promise<{ id: string; text: string }> {
    const begun = await begin(plan);
    await startReading(stack.api, begun.id).whole;
    return begun;
  }

  async function newKey(user: string): Promise<NewKey> {
    const body = JSON.stringify({ user, scopes: ['generate', 'any-user'] });
    return (await (await stack.api.send('/v1/keys', { method: 'POST', body })).json()) as NewKey;
  }

  const streamsOf = (id: string) => new RegExp(`${id}/events`);

  test('carries every token, once and in order', async () => {
    const { id, text } = await begin();
    const events = await startReading(edge, id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
    const direct = await stack.api.readOnce(id, -1);
    expect(textOf(events)).toBe(textOf(direct));
    expect(events.at(-1)).toEqual(direct.at(-1));
  });

  test('passes on all that is no stream, such as a submit and its idempotency key', async () => {
    const request = { input: promptOf({ tokens: 20, delayMs: 0 }), cache: 'off' as const };
    const key = `edge-${platform}-${Date.now()}`;
    const [first, second] = [await edge.create(request, key), await stack.api.create(request, key)];
    expect(first.status).toBe(201);
    expect(second.body.id).toBe(first.body.id);
    expect((await edge.view(first.body.id)).status).toBe(200);
  });

  test('resumes by Last-Event-ID, from within and beyond what is finished', async () => {
    const { id, text } = await begin();
    const reading = startReading(edge, id);
    const [before, between] = await Promise.all([
      edge.readOnce(id, -1, (events) => events.length >= 30),
      reading.deltas(EVENTS_PER_PAGE + 20).then(() => edge.readOnce(id, EVENTS_PER_PAGE - 7)),
    ]);
    const after = await edge.readOnce(id, before.at(-1)?.seq ?? -1);
    expect(faultsOf([...before, ...after])).toEqual([]);
    expect(textOf([...before, ...after])).toBe(text);
    expect(between[0]?.from ?? between[0]?.seq).toBe(EVENTS_PER_PAGE - 6);
    expect(text.endsWith(textOf(between))).toBe(true);
  });

  test('lets the viewer notice nothing when the origin is killed and started again', async () => {
    const { id, text } = await begin();
    const uncut = edge.readOnce(id, -1);
    await waitFor('the stream to be open', () => origin.open(streamsOf(id)) > 0);
    await waitFor('some text', async () => (await stack.api.view(id)).body.lastSeq > 40);
    await api.kill();
    await api.restart();
    // One connection of the viewer, without its own reconnect.
    const events = await uncut;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
  });

  test('carries 40 viewers of one generation on one connection to the origin', async () => {
    const { id, text } = await begin({ tokens: 300, delayMs: 12 });
    const viewers = Array.from({ length: 40 }, () => startReading(edge, id));
    await Promise.all(viewers.map((viewer) => viewer.deltas(60)));
    expect(origin.open(streamsOf(id))).toBe(1);
    const read = await Promise.all(viewers.map((viewer) => viewer.whole));
    expect(read.flatMap(faultsOf)).toEqual([]);
    expect(new Set(read.map(textOf))).toEqual(new Set([text]));
    expect(origin.passed.filter((path) => streamsOf(id).test(path))).toHaveLength(1);
  });

  test('leaves the origin when the last viewer has left', async () => {
    const { id } = await begin({ tokens: 1_000, delayMs: 10 });
    await edge.readOnce(id, -1, (events) => events.length > 10);
    expect(origin.passed.filter((path) => streamsOf(id).test(path))).toHaveLength(1);
    await waitFor('the connection to the origin to end', () => origin.open(streamsOf(id)) === 0);
    expect((await stack.api.view(id)).body.status).toBe('running');
    await stack.api.cancel(id);
  });

  test('reads a page of a finished log once, for all who come after', async () => {
    const { id, text } = await finished();
    const read = () => origin.passed.filter((path) => path.includes(id) && PAGES.test(path)).length;
    expect(textOf(await edge.readOnce(id, -1))).toBe(text);
    const pages = read();
    for (const after of [-1, 10, EVENTS_PER_PAGE + 3]) {
      const events = await edge.readOnce(id, after);
      expect(events[0]?.seq).toBe(after + 1);
      expect(events.at(-1)?.type).toBe('generation-end');
    }
    expect(read()).toBe(pages);
    expect(pages).toBeLessThanOrEqual(2);
  });

  test('ends at once for a viewer who has all of a finished log', async () => {
    const { id } = await finished({ tokens: 20, delayMs: 0 });
    const { body } = await edge.view(id);
    expect(await edge.readOnce(id, body.lastSeq)).toEqual([]);
  });

  test('asks the origin for every viewer, also where it has all of the log', async () => {
    const { id } = await finished();
    await edge.readOnce(id, -1);
    const stranger = as(await stack.addKey({ tenant: 'other', user: 'eve' }));
    const requestsBefore = origin.passed.length;
    for (const [viewer, status] of [
      [stranger, 404],
      [as('ub_test_unknown'), 401],
    ] as const) {
      const response = await viewer.send(`/v1/generations/${id}/events`);
      expect(response.status).toBe(status);
      expect(await response.json()).toHaveProperty('error.code');
    }
    const nobody = await fetch(`${edge.url}/v1/generations/${id}/events`);
    expect(nobody.status).toBe(401);
    expect(origin.passed.length - requestsBefore).toBe(3);
  });

  test('lets go of a viewer whose key is revoked, and of no other', async () => {
    const { id, text } = await begin({ tokens: 1_600, delayMs: 15 });
    const mine = await Promise.all(['first', 'second'].map((user) => newKey(user)));
    const [first, second] = mine.map(({ key }) => as(key).readOnce(id, -1));
    const uncut = edge.readOnce(id, -1);
    await waitFor('the stream to be open', () => origin.open(streamsOf(id)) === 1);
    // The connection to the origin is of one of them, so one is refused by that, and one when it is asked about.
    for (const { id: key } of mine) await stack.api.send(`/v1/keys/${key}`, { method: 'DELETE' });
    for (const revoked of [first, second]) {
      const events = await revoked;
      expect(events?.at(-1)?.type).not.toBe('generation-end');
    }
    expect((await stack.api.view(id)).body.status).toBe('running');
    const events = await uncut;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
  });

  test('refuses a cursor past the end as the origin does', async () => {
    const { id } = await finished({ tokens: 20, delayMs: 0 });
    for (const after of ['9999', '-7', 'x']) {
      const response = await edge.send(`/v1/generations/${id}/events?after=${after}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: 'cursor_invalid' } });
    }
  });

  test('ends cleanly after until_ms', async () => {
    const { id } = await begin({ tokens: 1_000, delayMs: 10 });
    const response = await edge.send(`/v1/generations/${id}/events?until_ms=300`);
    const text = await response.text();
    expect(text).toContain('event: generation-start');
    expect(text).not.toContain('event: generation-end');
    await stack.api.cancel(id);
  });

  test('while the origin is unreachable, shows a finished log to those whom it granted it, and to no others', async () => {
    const { id, text } = await finished();
    await edge.readOnce(id, -1);
    const late = await stack.addKey({ tenant: 'dev', user: 'late' });
    const stranger = await stack.addKey({ tenant: 'other', user: 'eve' });
    await as(stranger).send(`/v1/generations/${id}/events`);
    origin.block();
    try {
      expect(textOf(await edge.readOnce(id, -1))).toBe(text);
      for (const key of [late, stranger]) {
        const response = await as(key).send(`/v1/generations/${id}/events`);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('2');
        expect(await response.json()).toMatchObject({ error: { code: 'service_unavailable' } });
      }
    } finally {
      origin.restore();
    }
  });
});

test('what vercel.json rewrites comes out as it was asked for', async () => {
  const edge = await startChild('edge', ['test/harness/serve-edge.ts', 'vercel', stack.api.url], {});
  try {
    const body = await stack.api.submit({ input: promptOf({ tokens: 20, delayMs: 0 }), cache: 'off' });
    await startReading(stack.api, body.id).whole;
    const path = encodeURIComponent(`/v1/generations/${body.id}/events`);
    const answer = await connectApi(edge.url, stack.api.key).send(`/api/relay?unbroken_path=${path}&after=2`);
    expect(answer.headers.get('x-unbroken-relay')).toBe('finished');
    expect(await answer.text()).toMatch(/^id: 3\n/);
  } finally {
    await edge.end();
  }
});
