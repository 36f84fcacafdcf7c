import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTerminal, textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket } from '../harness/stream-socket.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type Front, findProxy, fronts, startFront } from './front.ts';
import { openHttp2, type Received } from './http2-streams.ts';

/** Minutes in production; the proportions are the same. A busy machine may stall a process for two or three seconds. */
const IDLE_SECONDS = 5;
/** For what is no test of the idle limit. */
const PATIENT_SECONDS = 120;
const HEARTBEAT_MS = 400;
const SILENCE_MS = 1.6 * IDLE_SECONDS * 1_000;
const STREAMS = 40;
let stack: Stack;
beforeAll(async () => {
  for (const name of fronts) await findProxy(name);
  stack = await startStack({ config: { limits: { heartbeatMs: HEARTBEAT_MS } } });
});
afterAll(() => stack?.stop());

const begin = async (plan: Parameters<typeof promptOf>[0]) => {
  const input = promptOf(plan);
  const body = await stack.api.submit({ input, cache: 'off' });
  return { id: body.id, input };
};

/** From the moment at which the log had an event to the moment at which its reader had it; ms, in order. */
const delays = (received: readonly Received[]) =>
  received.map(({ event, receivedAt }) => receivedAt - event.at).sort((first, second) => first - second);

/** From the first event to the last, by the log's clock; ms. */
const durationMs = (received: readonly Received[]) =>
  (received.at(-1)?.event.at ?? 0) - (received[0]?.event.at ?? 0);

describe.each(fronts)('through %s', (name) => {
  let front: Front;
  beforeAll(async () => {
    front = await startFront(name, stack.api.url, PATIENT_SECONDS);
  });
  afterAll(() => front?.stop());

  test(`${STREAMS} streams share one connection of HTTP/2, and each token passes as it comes`, async () => {
    const connection = await openHttp2(front, stack.api.key);
    expect(connection.session.alpnProtocol).toBe('h2');
    expect(connection.session.remoteSettings.maxConcurrentStreams).toBeGreaterThanOrEqual(512);
    const runs = await Promise.all(
      Array.from({ length: STREAMS }, () => begin({ tokens: 60, delayMs: 80, firstMs: 300 })),
    );
    const read = await Promise.all(runs.map(({ id }) => connection.read(id)));
    await connection.close();
    for (const received of read) {
      const events = received.map(({ event }) => event);
      expect(faultsOf(events)).toEqual([]);
      // Held back, the first token would come with the last.
      const firstText = received.find(({ event }) => event.type === 'text-delta');
      expect(firstText?.receivedAt).toBeLessThan(events.at(-1)?.at ?? 0);
    }
    const live = delays(
      read.flatMap((received) => received.filter(({ event }) => event.type === 'text-delta')),
    );
    const at = (share: number) => live[Math.floor(share * (live.length - 1))] ?? Number.NaN;
    console.info(`${name}: ${live.length} deltas, delay median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
    // A proxy that collects tokens delays most of them by a good part of the stream; a busy machine slows both alike.
    expect(at(0.5)).toBeLessThan(Math.max(...read.map(durationMs)) / 4);
  });

  test('one WebSocket follows several generations, and each token passes as it comes', async () => {
    const socket = await openStreamSocket({ url: front.url, key: stack.api.key }, { ca: front.ca });
    const runs = await Promise.all(Array.from({ length: 5 }, () => begin({ tokens: 60, delayMs: 25 })));
    for (const { id } of runs) socket.send({ type: 'subscribe', generationId: id });
    for (const { id, input } of runs) {
      await waitFor('text before the end', () => socket.events(id).some(({ type }) => type === 'text-delta'));
      await waitFor('the end', () => socket.events(id).some(isTerminal));
      expect(faultsOf(socket.events(id))).toEqual([]);
      expect(textOf(socket.events(id))).toBe((await stack.sim.text(input)).text);
    }
    await socket.close();
  });

  test('a silence that is longer than its idle limit cuts neither a stream nor a WebSocket', async () => {
    const impatient = await startFront(name, stack.api.url, IDLE_SECONDS);
    const connection = await openHttp2(impatient, stack.api.key);
    const socket = await openStreamSocket({ url: impatient.url, key: stack.api.key }, { ca: impatient.ca });
    const { id } = await begin({ tokens: 5, delayMs: 0, firstMs: SILENCE_MS });
    socket.send({ type: 'subscribe', generationId: id });
    const received = await connection.read(id);
    expect(faultsOf(received.map(({ event }) => event))).toEqual([]);
    await waitFor('the end on the socket', () => socket.events(id).some(isTerminal));
    await Promise.all([connection.close(), socket.close()]);
    await impatient.stop();
  });

  test('a stream without a sign of life is cut, so the heartbeats are what keeps one', async () => {
    const silent = createServer((_request, response) => response.writeHead(200).flushHeaders());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const before = await startFront(name, `http://127.0.0.1:${port}`, IDLE_SECONDS);
    const connection = await openHttp2(before, 'no key');
    const startedAt = performance.now();
    expect(await connection.read('gen_1')).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(SILENCE_MS);
    await connection.close();
    await before.stop();
    silent.closeAllConnections();
    silent.close();
  });
});
