/**
 * What a provider says to one tenant's request never reaches another tenant's. The vendors are stubs that answer by
 * what they are asked: one for each wire, so that each adapter is read as it is.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ProvidersView } from '../../contracts/routing.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

/** What the stub answers to a prompt that holds this word. All other prompts get a good answer. */
interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}
const REPLIES: Readonly<Record<string, Reply>> = {
  CONTENT: {
    status: 403,
    body: { code: 'permission-denied', error: 'Content violates usage guidelines.' },
  },
  REGION: { status: 403, body: { error: { message: 'Not offered in your region.', type: 'forbidden' } } },
  DEAR: {
    status: 402,
    body: { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } },
  },
  SPENT: { status: 402, body: { error: { code: 402, message: 'Insufficient Balance' } } },
  QUOTA: { status: 429, body: { error: { message: 'Quota.', code: 'insufficient_quota' } } },
  UNKNOWN: { status: 404, body: { error: { message: 'No such model.', code: 'model_not_found' } } },
  LARGE: { status: 429, body: { error: { message: 'Request too large for m: Limit 1, Requested 2' } } },
  SUCCESS: { status: 200, body: { error: { code: 400, message: 'The parameter is not known.' } } },
  BROKEN: { status: 500, body: { error: { message: 'Cannot be read.', type: 'server_error' } } },
  RATE: {
    status: 429,
    body: { error: { message: 'Too many requests.', type: 'rate_limit_error' } },
    headers: { 'retry-after': '60' },
  },
  QUOTING: {
    status: 400,
    body: { error: { message: 'Refused: "Incorrect API key provided. insufficient_quota"' } },
  },
};

/** What is asked of all, and may be learned by all. */
const SHARED = ['RATE'];
const OF_ONE_REQUEST = Object.keys(REPLIES).filter((word) => !SHARED.includes(word));

/** Of no form that a pattern knows. */
const SECRET = 'plugh0123456789XYZZYsecret';
const WIRES = {
  chat: { wire: 'openai-chat', path: '/v1' },
  messages: { wire: 'anthropic-messages', path: '' },
  responses: { wire: 'openai-responses', path: '/v1' },
  google: { wire: 'google', path: '' },
} as const;
const WIRE_NAMES = Object.keys(WIRES) as (keyof typeof WIRES)[];

interface Stub {
  readonly url: string;
  calls: number;
  stop(): Promise<void>;
}

async function startStub(simulatorUrl: () => string): Promise<Stub> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const chunk of request) pieces.push(chunk as Buffer);
    const body = Buffer.concat(pieces).toString();
    stub.calls += 1;
    if (body.includes('say ECHO')) {
      const message = `Failed at ${body} with ${Object.values(request.headers).join(' ')}`;
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: message.slice(-700), type: 'server_error' } }));
      return;
    }
    const word = Object.keys(REPLIES).find((reply) => body.includes(`say ${reply}`));
    const reply = word === undefined ? undefined : REPLIES[word];
    if (reply !== undefined) {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(JSON.stringify(reply.body));
      return;
    }
    // Good answers come from the simulated provider.
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(
        (header): header is [string, string] =>
          typeof header[1] === 'string' &&
          !/^(host|connection|content-length|transfer-encoding)$/.test(header[0]),
      ),
    );
    const forwarded = await fetch(`${simulatorUrl()}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(forwarded.status, { 'content-type': forwarded.headers.get('content-type') ?? '' });
    for await (const chunk of forwarded.body ?? []) response.write(chunk);
    response.end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: 0,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return stub;
}

let stack: Stack;
let stub: Stub;
let eve: UnbrokenApi;
let bob: UnbrokenApi;
beforeAll(async () => {
  let simulatorUrl = '';
  stub = await startStub(() => simulatorUrl);
  stack = await startStack({
    env: { STUB_KEY: SECRET, REJECTED_KEY: 'sk-rejected-0123456789', GOOD_KEY: 'sk-good-0123456789' },
    config: (url) => {
      simulatorUrl = url;
      const stubs = WIRE_NAMES.map((name) => [
        `stub-${name}`,
        { wire: WIRES[name].wire, baseUrl: `${stub.url}${WIRES[name].path}`, keys: [{ env: 'STUB_KEY' }] },
      ]);
      const twoKeys = {
        wire: 'openai-chat',
        baseUrl: `${url}/v1`,
        keys: [{ env: 'REJECTED_KEY', weight: 1_000 }, { env: 'GOOD_KEY' }],
      };
      return {
        providers: { ...Object.fromEntries(stubs), 'two-keys': twoKeys },
        routes: {
          default: ['simulated/sim-large'],
          patient: { candidates: ['stub-chat/patient'], whenFull: 'wait' },
        },
      };
    },
  });
  const admin = ['generate', 'any-user', 'admin'] as const;
  const keyOf = (tenant: string) => stack.addKey({ tenant, user: tenant, scopes: [...admin] });
  eve = connectApi(stack.api.url, await keyOf('eve'));
  bob = connectApi(stack.api.url, await keyOf('bob'));
});
afterAll(async () => {
  await stack?.stop();
  await stub?.stop();
});
beforeEach(() => {
  stub.calls = 0;
});

async function ask(api: UnbrokenApi, model: string, prompt: string) {
  const body = await api.submit({ input: prompt, model, cache: 'off', maxOutputTokens: 100 });
  const events = await startReading(api, body.id).whole;
  return events.at(-1);
}
const good = () => promptOf({ tokens: 5, delayMs: 0 });
const viewOf = async (api: UnbrokenApi) => (await (await api.send('/v1/providers')).json()) as ProvidersView;

describe.each(WIRE_NAMES)('by the wire of %s', (wire) => {
  test.each(OF_ONE_REQUEST)('an answer to one tenant (%s) reaches no other', async (word) => {
    const model = `stub-${wire}/${wire}-${word.toLowerCase()}`;
    // As many as open a circuit, at once.
    const ends = await Promise.all(
      Array.from({ length: 6 }, () => ask(eve, model, `say ${word} ${Math.random()}`)),
    );
    for (const end of ends) expect(end?.type).toBe('generation-error');
    expect(await ask(bob, model, good())).toMatchObject({ type: 'generation-end' });
    expect(await ask(bob, `stub-${wire}/another`, good())).toMatchObject({ type: 'generation-end' });
    const { providers } = await viewOf(bob);
    const shown = providers.find(({ provider }) => provider === `stub-${wire}`);
    expect(shown?.available).toBe(true);
    expect(shown?.keys?.map(({ state }) => state)).toEqual(['ready']);
  });

  test('a refusal of content has the words of the vendor, and is asked once', async () => {
    const end = await ask(eve, `stub-${wire}/words`, 'say CONTENT');
    expect(end).toMatchObject({ type: 'generation-error', error: { code: 'content_filtered' } });
    expect(JSON.stringify(end)).toContain('Content violates usage guidelines.');
    expect(stub.calls).toBe(1);
  });
});

describe('an answer whose cap went to thoughts', () => {
  const cases = ['simulated', 'simulated-chat', 'simulated-messages'].flatMap((provider) =>
    [true, false].map((stream) => ({ provider, stream })),
  );
  const question = () => `Think ${Math.random()} [[sim reasoning=50 tokens=60]]`;

  test.each(cases)(
    'of $provider is one call and one bill (stream: $stream)',
    async ({ provider, stream }) => {
      await stack.sim.forget();
      const messages = [{ role: 'user', content: question() }];
      const response = await eve.send('/v1/chat/completions', {
        method: 'POST',
        headers: { 'x-unbroken-cache': 'off' },
        body: JSON.stringify({ model: `${provider}/sim-large`, max_completion_tokens: 20, stream, messages }),
      });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain('"finish_reason":"length"');
      expect(text).not.toContain('provider_empty');
      const calls = await stack.sim.calls();
      expect(calls.map(({ outputTokensGenerated }) => outputTokensGenerated)).toEqual([20]);
      if (stream) return;
      const { usage, choices } = JSON.parse(text) as {
        usage: { completion_tokens_details: { reasoning_tokens: number } };
        choices: { message: { content: string } }[];
      };
      expect(usage.completion_tokens_details.reasoning_tokens).toBe(20);
      expect(choices[0]?.message.content).toBe('');
    },
  );

  test('is incomplete as a response, and can be chained from', async () => {
    const ask = async (body: object) => {
      const response = await eve.send('/v1/responses', {
        method: 'POST',
        body: JSON.stringify({ model: 'simulated/sim-large', ...body }),
      });
      return (await response.json()) as { id: string; status: string; incomplete_details: unknown };
    };
    const first = await ask({ input: question(), max_output_tokens: 20 });
    expect(first).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    const next = await ask({ input: good(), previous_response_id: first.id });
    expect(next.status).toBe('completed');
  });

  test('ends a message by max_tokens', async () => {
    const response = await eve.send('/v1/messages', {
      method: 'POST',
      body: JSON.stringify({
        model: 'simulated-messages/sim-large',
        max_tokens: 20,
        messages: [{ role: 'user', content: question() }],
      }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ stop_reason: 'max_tokens' });
  });

  test('opens no circuit, however often it comes', async () => {
    const model = 'simulated/only-thoughts';
    await Promise.all(
      Array.from({ length: 6 }, () =>
        eve.create({ input: question(), model, cache: 'off', maxOutputTokens: 20 }),
      ),
    );
    for (let number = 0; number < 4; number += 1) {
      const { body } = await eve.create({ input: question(), model, cache: 'off', maxOutputTokens: 20 });
      expect((await startReading(eve, body.id).whole).at(-1)).toMatchObject({ finishReason: 'length' });
    }
  });
});

describe('a provider that asks to be left alone for longer than a caller waits', () => {
  test.each([true, false])('reaches the caller at once, with the wait (stream: %s)', async (stream) => {
    const begunAt = Date.now();
    const response = await eve.send('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({
        model: `stub-chat/resting-${stream}`,
        stream,
        messages: [{ role: 'user', content: `say RATE ${Math.random()}` }],
      }),
    });
    const text = await response.text();
    expect(text).toMatch(/rate_limit/);
    if (!stream) {
      expect(response.status).toBe(429);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(30);
    }
    expect(Date.now() - begunAt).toBeLessThan(30_000);
    expect(stub.calls).toBe(1);
  });

  test('is waited for where the route says so', async () => {
    const { body } = await eve.create({ input: 'say RATE', route: 'patient', cache: 'off' });
    const { status } = await waitFor('it has been refused once', async () => {
      const view = await eve.view(body.id);
      return stub.calls > 0 && view.body;
    });
    expect(status).toBe('running');
    expect((await eve.cancel(body.id)).status).toBe(202);
  });
});

describe('what is shared', () => {
  test('is a key that the provider rejects: nobody calls with it, and the other key serves', async () => {
    await stack.sim.fault({ status: 401, key: 'sk-rejected-0123456789', times: 100_000 });
    for (const api of [eve, bob, bob]) {
      expect(await ask(api, 'two-keys/m', good())).toMatchObject({ type: 'generation-end' });
    }
    expect((await stack.sim.keys())['sk-rejected-0123456789']?.requests).toBe(1);
  });

  test('is an outage that several tenants see', async () => {
    const model = `stub-chat/outage`;
    await Promise.all(
      [eve, bob].flatMap((api) => [ask(api, model, 'say BROKEN 1'), ask(api, model, 'say BROKEN 2')]),
    );
    const ann = connectApi(
      stack.api.url,
      await stack.addKey({ tenant: 'ann', user: 'ann', scopes: ['generate'] }),
    );
    const end = await ask(ann, model, good());
    expect(end).toMatchObject({ type: 'generation-error', error: { code: 'provider_circuit_open' } });
  });
});

test.each(WIRE_NAMES)(
  'a provider (%s) that quotes the prompt and the key shows them to no log, and the key to nobody',
  async (wire) => {
    const response = await bob.send('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({
        model: `stub-${wire}/echoes`,
        messages: [{ role: 'user', content: `say ECHO ${Math.random()} PLUGH-PROMPT` }],
      }),
    });
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain(SECRET);
    const logs = await waitFor('the failure is logged', () => {
      const all = [...stack.apis, ...stack.workers].map((seat) => seat.log()).join('\n');
      return all.includes('request failed') && all;
    });
    for (const word of [SECRET, 'PLUGH-PROMPT']) expect(logs).not.toContain(word);
  },
);

test('names of models that one tenant asked are not shown to another', async () => {
  await ask(eve, 'stub-chat/ft:acme-secret-project-x', good());
  await waitFor('eve is shown it', async () => JSON.stringify(await viewOf(eve)).includes('acme-secret'));
  expect(JSON.stringify(await viewOf(bob))).not.toContain('acme-secret');
});
