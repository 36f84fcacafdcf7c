import { createRequire } from 'node:module';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Window } from 'happy-dom';
import { GenerationStore } from '../../../clients/typescript/generation-store.ts';
import {
  ClientError,
  createClient,
  type GenerationEvent,
  GenerationFailedError,
} from '../../../clients/typescript/index.ts';
import {
  type GenerationClient,
  type UsedGeneration,
  useGeneration,
} from '../../../clients/typescript/use-generation.ts';
import { replaceProperty } from '../../harness/replace-property.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type Fault, startHostileServer } from './hostile-server.ts';

interface Root {
  render(element: object): void;
  unmount(): void;
}

// React's types would be one more dependency of everything here; of React, three functions are used.
const load = createRequire(import.meta.url);
const React: {
  createElement(component: unknown, properties: null, child?: object): object;
  readonly StrictMode: unknown;
} = load('react');
const { createRoot }: { createRoot(into: object): Root } = load('react-dom/client');

/** React looks there for the event that calls it. */
afterAll(replaceProperty(globalThis, 'window', {}));

const WORDS = Array.from({ length: 120 }, (_, index) => `Wörter🧵${index}é `);
const TEXT = WORDS.join('');
const DELTAS = WORDS.map((text, seq) => ({ type: 'text-delta' as const, text, seq, at: 0 }));
const USED = {
  usage: {
    inputTokens: 1,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 120,
    reasoningTokens: 0,
    estimated: false,
  },
  costMicroUsd: 1,
};
const END = { type: 'generation-end', seq: WORDS.length, at: 0, ...USED };

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0).reverse()) end();
});

async function serve(faults: Fault[], events: readonly { seq: number }[] = [...DELTAS, END]) {
  const server = await startHostileServer(events, faults);
  endings.push(server.stop);
  return { server, client: createClient({ baseUrl: server.url, reconnectDelayMs: 2 }) };
}

/** A component with the hook, in StrictMode: React runs each effect, its cleanup, and the effect again. */
function mount(client: GenerationClient, firstId: string | null = 'g1') {
  const shown: UsedGeneration[] = [];
  let id = firstId;
  const Page = () => {
    shown.push(useGeneration(client, id));
    return null;
  };
  const { document } = new Window();
  const root = createRoot(document.createElement('div'));
  const render = () =>
    root.render(React.createElement(React.StrictMode, null, React.createElement(Page, null)));
  render();
  endings.push(() => root.unmount());
  return {
    shown,
    last: () => shown.at(-1) ?? { text: '', status: 'idle', error: null },
    follow: (nextId: string | null) => {
      id = nextId;
      render();
    },
    unmount: () => root.unmount(),
  };
}

/** A client whose events the test sends. */
function scriptedClient() {
  const connections: {
    id: string;
    after: number;
    signal: AbortSignal;
    send(event: GenerationEvent): void;
  }[] = [];
  const cancelled: string[] = [];
  const client: GenerationClient = {
    cancel: async (id) => {
      cancelled.push(id);
    },
    follow: async function* (id, { after = -1, signal = new AbortController().signal } = {}) {
      const sent: GenerationEvent[] = [];
      let wake = Promise.withResolvers<void>();
      const send = (event: GenerationEvent) => {
        sent.push(event);
        wake.resolve();
      };
      connections.push({ id, after, signal, send });
      for (;;) {
        await wake.promise;
        wake = Promise.withResolvers();
        yield* sent.splice(0);
      }
    },
  };
  return { client, connections, cancelled };
}

const delta = (seq: number, text: string): GenerationEvent => ({ type: 'text-delta', text, seq, at: 0 });

describe('useGeneration', () => {
  test('shows every token once and in order, through disconnects and double effects', async () => {
    const cuts = Array.from(
      { length: 12 },
      (_, index): Fault => ({
        kind: index % 2 === 0 ? 'cut' : 'close',
        bytes: 150 + index * 70,
      }),
    );
    const { server, client } = await serve([{ kind: 'refuse' }, ...cuts]);
    const page = mount(client);
    await waitFor('the end', () => page.last().status === 'completed');
    expect(page.last()).toMatchObject({ text: TEXT, error: null });
    expect(page.shown.filter(({ text }) => !TEXT.startsWith(text))).toEqual([]);
    const lengths = page.shown.map(({ text }) => text.length);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(server.connections()).toBeGreaterThan(5);
  });

  test('says that it reconnects, and that is no error', async () => {
    const busy: Fault = { kind: 'status', status: 503, code: 'service_unavailable', retryAfter: '1' };
    const { client } = await serve([busy, busy]);
    const page = mount(client);
    await waitFor('the end', () => page.last().status === 'completed');
    expect(page.shown.map(({ status }) => status)).toContain('reconnecting');
    expect(page.shown.filter(({ error }) => error !== null)).toEqual([]);
  });

  test('shows why the API refuses', async () => {
    const missing: Fault = { kind: 'status', status: 404, code: 'generation_not_found' };
    const { client } = await serve([missing, missing]);
    const page = mount(client);
    const refused = await waitFor('the error', () => page.last().error);
    expect(refused).toBeInstanceOf(ClientError);
    expect(refused).toMatchObject({ code: 'generation_not_found' });
    expect(page.last().status).toBe('failed');
  });

  test('shows why the generation failed, with the text that had arrived', async () => {
    const error = {
      code: 'provider_unavailable',
      message: 'no provider',
      doc: '/docs/errors/provider_unavailable',
    };
    const { client } = await serve(
      [],
      [...DELTAS, { ...END, type: 'generation-error', error } as typeof END],
    );
    const page = mount(client);
    const failed = await waitFor('the error', () => page.last().error);
    expect(failed).toBeInstanceOf(GenerationFailedError);
    expect(failed).toMatchObject({ code: error.code, partialText: TEXT });
    expect(page.last()).toMatchObject({ status: 'failed', text: TEXT });
  });

  test('drops voided text', async () => {
    const { client, connections } = scriptedClient();
    const page = mount(client);
    const open = await waitFor('a connection', () => connections.find(({ signal }) => !signal.aborted));
    open.send(delta(0, 'wrong'));
    await waitFor('the first text', () => page.last().text === 'wrong');
    open.send({ type: 'text-reset', reason: 'restart', seq: 1, at: 0 });
    open.send(delta(2, 'right'));
    await waitFor('the new text', () => page.last().text === 'right');
  });

  test('double effects leave one connection, and unmounting leaves none', async () => {
    const { client, connections } = scriptedClient();
    const page = mount(client);
    await waitFor('both effects', () => connections.length === 2);
    const [first, second] = connections;
    expect([first?.signal.aborted, second?.signal.aborted]).toEqual([true, false]);
    // What the first connection still delivers is the second's to show.
    first?.send(delta(0, 'once'));
    second?.send(delta(0, 'once'));
    second?.send(delta(1, ', twice'));
    await waitFor('the text', () => page.last().text === 'once, twice');
    page.unmount();
    await waitFor('the end of the connection', () => second?.signal.aborted);
    expect(connections).toHaveLength(2);
  });

  test('cancels on request, and shows the cancellation when it arrives', async () => {
    const { client, connections, cancelled } = scriptedClient();
    const page = mount(client);
    const open = await waitFor('a connection', () => connections.find(({ signal }) => !signal.aborted));
    open.send(delta(0, 'half'));
    await waitFor('some text', () => page.last().text === 'half');
    await page.shown.at(-1)?.cancel();
    expect(cancelled).toEqual(['g1']);
    expect(page.last().status).toBe('streaming');
    open.send({ type: 'generation-cancel', attempts: 1, seq: 1, at: 0, ...USED });
    await waitFor('the cancellation', () => page.last().status === 'cancelled');
    expect(page.last()).toMatchObject({ text: 'half', error: null });
  });

  test('waits for an id, and with another id starts over', async () => {
    const { client, connections } = scriptedClient();
    const page = mount(client, null);
    await waitFor('the page', () => page.shown.length > 0);
    expect(page.last()).toMatchObject({ text: '', status: 'idle' });
    page.follow('g1');
    const first = await waitFor('g1', () =>
      connections.find(({ id, signal }) => id === 'g1' && !signal.aborted),
    );
    first.send(delta(0, 'one answer'));
    await waitFor('its text', () => page.last().text === 'one answer');
    page.follow('g2');
    const second = await waitFor('g2', () =>
      connections.find(({ id, signal }) => id === 'g2' && !signal.aborted),
    );
    expect(page.last()).toMatchObject({ text: '', status: 'connecting' });
    first.send(delta(1, ' more'));
    second.send(delta(0, 'another'));
    await waitFor('the other text', () => page.last().text === 'another');
    expect(first.signal.aborted).toBe(true);
    expect(second.after).toBe(-1);
  });
});

test('a store continues at its last event after all subscribers had left', async () => {
  const { client, connections } = scriptedClient();
  const store = new GenerationStore(client, 'g1');
  const leave = store.subscribe(() => undefined);
  await waitFor('a connection', () => connections.length === 1);
  connections[0]?.send(delta(0, 'first'));
  await waitFor('some text', () => store.current().text === 'first');
  leave();
  connections[0]?.send(delta(1, ' late'));
  endings.push(store.subscribe(() => undefined));
  await waitFor('another connection', () => connections.length === 2);
  expect(connections[1]?.after).toBe(0);
  connections[1]?.send(delta(1, ' second'));
  await waitFor('the whole text', () => store.current().text === 'first second');
});
