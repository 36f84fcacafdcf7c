/** What an operator does with every release: each process is asked to leave, and another takes its place. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ClientError, createClient } from '../../clients/typescript/index.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket } from '../harness/stream-socket.ts';
import { waitFor } from '../harness/wait-for.ts';

const READERS = 4;
let stack: Stack;
let balancer: Balancer;
beforeAll(async () => {
  stack = await startStack({ workers: 2, apis: 2 });
  balancer = await startBalancer([stack.api.url, ...stack.otherApis]);
});
afterAll(async () => {
  await balancer?.stop();
  await stack?.stop();
});

describe('a rolling restart of two APIs and two workers under load', () => {
  test('loses nothing, shows no error to any client, and every process ends by itself', async () => {
    const retries: unknown[] = [];
    const client = createClient({
      baseUrl: balancer.url,
      apiKey: stack.api.key,
      onRetry: ({ cause }) => retries.push(cause),
    });
    let isOver = false;
    let finished = 0;
    const failures: unknown[] = [];
    const readOn = async () => {
      while (!isOver) {
        const input = promptOf({ tokens: 80, delayMs: 25 });
        const events: GenerationEvent[] = [];
        for await (const event of await client.generate({ input, cache: 'off' })) events.push(event);
        const expected = await stack.sim.text(input);
        const faults = [
          ...faultsOf(events),
          ...(textOf(events) === expected.text ? [] : ['the text differs']),
        ];
        const last = events.at(-1);
        if (last?.type !== 'generation-end') faults.push(`it ended with ${last?.type}`);
        if (faults.length > 0) failures.push(faults);
        finished += 1;
      }
    };
    const readers = Array.from({ length: READERS }, () =>
      readOn().catch((error: unknown) => failures.push(error)),
    );
    const codes: (number | null)[] = [];
    for (const [name, seats] of [
      ['worker', stack.workers],
      ['api', stack.apis],
    ] as const) {
      for (const seat of seats) {
        // Each has work when it is asked to leave.
        const before = finished;
        await waitFor(`generations before the ${name} leaves`, () => finished >= before + 2);
        codes.push(await seat.leave());
        await seat.restart();
      }
    }
    const before = finished;
    await waitFor('generations after the last restart', () => finished >= before + READERS);
    isOver = true;
    await Promise.all(readers);
    expect(failures).toEqual([]);
    expect(codes).toEqual([0, 0, 0, 0]);
    // A client may be asked to come back; it is never refused.
    expect(retries.filter((cause) => cause instanceof ClientError)).toEqual([]);
  });

  test('a stream of events is whole, and ends with the time to come back after', async () => {
    const [seat] = stack.apis;
    const body = await stack.api.submit({ input: promptOf({ tokens: 120, delayMs: 30 }) });
    const response = await stack.api.send(`/v1/generations/${body.id}/events`);
    const reading = response.text();
    expect(await seat?.leave()).toBe(0);
    // A connection that is cut has no last chunk, and the client rejects it.
    expect(await reading).toMatch(/\n\n: the server shuts down\nretry: 250\n\n$/);
    await seat?.restart();
  });

  test('a reader on a socket is asked to reconnect, and continues by its cursor', async () => {
    const input = promptOf({ tokens: 120, delayMs: 30 });
    const body = await stack.api.submit({ input });
    const first = await openStreamSocket({ url: stack.api.url, key: stack.api.key });
    first.send({ type: 'subscribe', generationId: body.id, after: -1 });
    await waitFor('some events', () => first.events(body.id).length > 10);
    const [seat] = stack.apis;
    expect(await seat?.leave()).toBe(0);
    const before = first.events(body.id);
    const second = await openStreamSocket({ url: stack.otherApis[0] ?? '', key: stack.api.key });
    second.send({ type: 'subscribe', generationId: body.id, after: before.at(-1)?.seq ?? -1 });
    await waitFor('the end', () => second.events(body.id).at(-1)?.type === 'generation-end');
    const events = [...before, ...second.events(body.id)];
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    await second.close();
    await seat?.restart();
  });
});

interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A load balancer at its plainest: each new connection goes to the next API that takes it. */
async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  const ports = urls.map((url) => Number(new URL(url).port));
  const open = new Set<Socket>();
  let turn = 0;
  const server: Server = createServer((socket) => {
    turn += 1;
    const order = ports.map((_, index) => ports[(turn + index) % ports.length] ?? 0);
    const keep = (connection: Socket) => {
      open.add(connection);
      connection.once('close', () => open.delete(connection));
    };
    const join = ([port, ...others]: readonly number[]) => {
      if (port === undefined) {
        socket.destroy();
        return;
      }
      const target = connectTo(port, '127.0.0.1');
      target.once('error', () =>
        target.bytesRead === 0 && others.length > 0 ? join(others) : socket.destroy(),
      );
      target.once('connect', () => {
        keep(target);
        socket.pipe(target).pipe(socket);
        socket.once('close', () => target.destroy());
        target.once('close', () => socket.destroy());
      });
    };
    keep(socket);
    socket.on('error', () => socket.destroy());
    join(order);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
