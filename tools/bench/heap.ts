/**
 * Asks the inspector of a Node process for its heap after a collection: what is still referenced, not what is merely
 * not yet collected. The workflow thread of a worker has a separate heap, so threads are asked too.
 */
import { once } from 'node:events';
import WebSocket from 'ws';

/** Of a process that is to be asked; a port of its choice, on this machine only. */
export const INSPECTED_NODE = '--inspect=127.0.0.1:0';
const ANSWERS_WITHIN_MS = 10_000;

export interface HeapProbe {
  /** All heaps of the process together. */
  usedBytes(): Promise<number>;
  /** The same with what their buffers hold outside of them. */
  referencedBytes(): Promise<number>;
  close(): void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly message?: string };
  readonly result?: { readonly usedSize?: number; readonly backingStorageSize?: number };
}

type Ask = (method: string, params?: object) => Promise<Message>;

/** @param log what the process has printed: its inspector says its address there. */
export async function openHeapProbe(log: string): Promise<HeapProbe> {
  const [address] = /ws:\/\/127\.0\.0\.1:\S+/.exec(log) ?? [];
  if (address === undefined)
    throw new Error(`The process has no inspector; start it with ${INSPECTED_NODE}.`);
  const socket = new WebSocket(address);
  await once(socket, 'open');
  const threads = new Map<string, ReturnType<typeof createConversation>>();
  const main = createConversation((text) => socket.send(text));
  socket.on('message', (data) => {
    const message: Message = JSON.parse(String(data));
    const { sessionId = '', message: inner } = message.params ?? {};
    if (message.method === 'NodeWorker.attachedToWorker') {
      const say = (text: string) =>
        void main.ask('NodeWorker.sendMessageToWorker', { sessionId, message: text });
      threads.set(sessionId, createConversation(say));
    } else if (message.method === 'NodeWorker.detachedFromWorker') threads.delete(sessionId);
    else if (message.method === 'NodeWorker.receivedMessageFromWorker')
      threads.get(sessionId)?.hear(JSON.parse(inner ?? '{}'));
    else main.hear(message);
  });
  await main.ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const collected = () => Promise.all([main, ...threads.values()].map(({ ask }) => collectedHeap(ask)));
  return {
    usedBytes: async () => sumOf(await collected(), ({ used }) => used),
    referencedBytes: async () => sumOf(await collected(), ({ used, buffers }) => used + buffers),
    close: () => socket.terminate(),
  };
}

interface Heap {
  readonly used: number;
  readonly buffers: number;
}

async function collectedHeap(ask: Ask): Promise<Heap> {
  await ask('HeapProfiler.collectGarbage');
  const { usedSize = Number.NaN, backingStorageSize = Number.NaN } =
    (await ask('Runtime.getHeapUsage')).result ?? {};
  return { used: usedSize, buffers: backingStorageSize };
}

function sumOf(heaps: readonly Heap[], of: (heap: Heap) => number): number {
  return heaps.reduce((sum, heap) => sum + of(heap), 0);
}

function createConversation(say: (text: string) => void): { ask: Ask; hear(message: Message): void } {
  const waiting = new Map<number, (message: Message) => void>();
  let lastId = 0;
  return {
    hear(message) {
      const resolve = waiting.get(message.id ?? 0);
      waiting.delete(message.id ?? 0);
      resolve?.(message);
    },
    ask(method, params = {}) {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`The inspector did not answer ${method}.`)),
          ANSWERS_WITHIN_MS,
        );
        waiting.set(id, (message) => {
          clearTimeout(late);
          resolve(message);
        });
        say(JSON.stringify({ id, method, params }));
      });
    },
  };
}
