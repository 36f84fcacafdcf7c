import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Provider } from '../../../engine/providers/provider.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { pause, waitFor } from '../../harness/wait-for.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { callOf } from './hear.ts';

const CALLS = 4;
const END_MS = 20;
const servers: Server[] = [];

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterAll(() => {
  for (const server of servers) server.close();
});

/** Leaves the stream at its finish, as an attempt does. */
async function answer(provider: Provider): Promise<string> {
  let text = '';
  for await (const event of provider.stream(
    callOf({ messages: [{ role: 'user', content: 'Yes? [[sim tokens=5]]' }] }),
  )) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'finish') return text;
  }
  throw new Error('the answer has no finish');
}

const LAST_CHUNK = '0\r\n\r\n';

/** The end of an answer comes a little after its last event, as it does from vendors. */
function passOn(bytes: Buffer, socket: Socket, onEnd: () => void): void {
  if (!bytes.toString('latin1').endsWith(LAST_CHUNK)) {
    socket.write(bytes);
    return;
  }
  socket.write(bytes.subarray(0, -LAST_CHUNK.length));
  setTimeout(() => socket.write(LAST_CHUNK, onEnd), END_MS);
}

/** Asks several times; the connection is free again when the end of the answer before was sent and read. */
async function askInTurn(provider: Provider, ends: () => number): Promise<void> {
  for (let calls = 1; calls <= CALLS; calls += 1) {
    expect(await answer(provider)).not.toBe('');
    await waitFor('the end of the answer', () => ends() === calls);
    await pause(END_MS);
  }
}

describe('the connection of a call serves the next one', () => {
  let sim: SimulatedProvider;
  beforeAll(async () => {
    sim = await createSimulatedProvider();
  });
  afterAll(() => sim.stop());

  test.each(['openai-responses', 'openai-chat', 'anthropic-messages', 'google', 'cohere', 'ai-sdk'] as const)(
    'of %s',
    async (wire) => {
      let connections = 0;
      let ends = 0;
      const url = await listening(
        createTcpServer((socket) => {
          connections += 1;
          const onward = connect(Number(new URL(sim.url).port), '127.0.0.1');
          socket.pipe(onward);
          onward.on('data', (bytes: Buffer) =>
            passOn(bytes, socket, () => {
              ends += 1;
            }),
          );
          for (const end of [socket, onward]) end.on('error', () => undefined);
        }),
      );
      const provider = adapterFor(wire, simulatedConfig(wire, url));
      await askInTurn(provider, () => ends);
      expect(connections).toBe(1);
    },
  );
});

describe('an answer whose connection stays open after its last event', () => {
  const chunk = (choice: object) => {
    const whole = {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, ...choice }],
    };
    return `data: ${JSON.stringify(whole)}\n\n`;
  };
  /** A provider that does with each answer what `afterEnd` says, once it has sent the last event. */
  async function providerWith(afterEnd: (response: ServerResponse) => void) {
    const connections: number[] = [];
    const server = createServer(async (request, response) => {
      await request.toArray();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ delta: { content: 'Yes.' } }));
      response.write(chunk({ delta: {}, finish_reason: 'stop' }));
      response.write('data: [DONE]\n\n');
      afterEnd(response);
    });
    server.on('connection', () => connections.push(Date.now()));
    const provider = adapterFor('p', { wire: 'openai-chat', baseUrl: `${await listening(server)}/v1` });
    return { provider, connections };
  }

  test('may end a little later', async () => {
    let ends = 0;
    const { provider, connections } = await providerWith((response) => {
      response.once('finish', () => {
        ends += 1;
      });
      setTimeout(() => response.end(), END_MS);
    });
    await askInTurn(provider, () => ends);
    expect(connections).toHaveLength(1);
  });

  test('is cut if it does not', async () => {
    const closed = Promise.withResolvers<void>();
    const { provider } = await providerWith((response) => void response.once('close', closed.resolve));
    expect(await answer(provider)).toBe('Yes.');
    await closed.promise;
  });
});
