/**
 * `WS /v1/stream`: several generations on one socket, each by id and cursor, by the same relay loop as SSE. A socket
 * that takes nothing makes its relays wait; each holds only its cursor.
 */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { UnbrokenError } from '../contracts/errors.ts';
import type { GenerationEvent } from '../contracts/events.ts';
import { LIMITS } from '../contracts/limits.ts';
import { clientFrameSchema, type ServerFrame } from '../contracts/websocket.ts';
import type { Caller } from './api-keys.ts';
import { type Cursor, checkCursor } from './check-cursor.ts';
import { type ConnectionFlow, createConnectionFlow } from './connection-flow.ts';
import type { ApiDependencies } from './dependencies.ts';
import { findGeneration } from './find-generation.ts';
import { toKnownError } from './known-error.ts';
import { relayEvents, type ViewerSink } from './relay-events.ts';
import type { SocketRoute } from './upgrade.ts';

export const CLOSE_STALLED = 1013;

interface Subscription {
  readonly leave: AbortController;
  readonly pause: Pause;
}

export function openStreamSocket(dependencies: ApiDependencies): SocketRoute {
  return {
    maxFrameBytes: LIMITS.webSocketFrameBytes,
    open: (ws, connection, caller) => serveSocket(ws, connection, caller, dependencies),
  };
}

function serveSocket(ws: WebSocket, connection: Duplex, caller: Caller, dependencies: ApiDependencies): void {
  const flow = createConnectionFlow(connection);
  const subscriptions = new Map<string, Subscription>();
  const send = (frame: ServerFrame) => sendText(ws, JSON.stringify(frame));
  const fail = (error: unknown, generationId?: string) => {
    const known = toKnownError(error);
    if (known.code === 'internal') dependencies.logger.error({ err: error }, 'websocket');
    const about = generationId === undefined ? {} : { generationId };
    send({ type: 'error', ...about, error: known.toBody() });
  };

  const subscribe = async (generationId: string, { after, at }: Cursor): Promise<void> => {
    if (subscriptions.has(generationId)) {
      throw new UnbrokenError('invalid_request', 'This socket follows that generation already.');
    }
    if (subscriptions.size >= LIMITS.subscriptionsPerSocket) {
      const most = LIMITS.subscriptionsPerSocket;
      throw new UnbrokenError('too_many_subscriptions', `One socket may follow ${most} generations.`);
    }
    const subscription = { leave: new AbortController(), pause: createPause() };
    subscriptions.set(generationId, subscription);
    try {
      const head = await findGeneration(dependencies, caller, generationId);
      await checkCursor(dependencies.log, head, { after, at });
      send({ type: 'subscribed', generationId, after });
      const sink = sinkFor(ws, flow, subscription.pause, generationId);
      await relayEvents(dependencies, { generationId, after, sink, signal: subscription.leave.signal });
    } finally {
      subscriptions.delete(generationId);
    }
    send({ type: 'unsubscribed', generationId });
  };

  ws.on('message', (data: RawData, isBinary: boolean) => {
    const frame = isBinary ? null : parseFrame(String(data));
    if (frame === null) {
      fail(new UnbrokenError('invalid_request', 'A frame is one JSON object of PROTOCOL.md, as text.'));
    } else if (frame.type === 'ping') send({ type: 'pong' });
    else if (frame.type === 'subscribe') {
      subscribe(frame.generationId, frame).catch((error: unknown) => fail(error, frame.generationId));
    } else {
      const subscription = subscriptions.get(frame.generationId);
      if (frame.type === 'pause') subscription?.pause.begin();
      else subscription?.pause.end();
      if (frame.type === 'unsubscribe') subscription?.leave.abort();
    }
  });
  ws.on('close', () => {
    for (const { leave, pause } of subscriptions.values()) {
      leave.abort();
      pause.end();
    }
  });
}

function parseFrame(text: string) {
  try {
    return clientFrameSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** What the client has asked to wait with. */
interface Pause {
  begin(): void;
  end(): void;
  /** Resolves when it has ended; null where nothing is paused. */
  readonly over: Promise<void> | null;
}

function createPause(): Pause {
  let waiting: PromiseWithResolvers<void> | null = null;
  return {
    begin: () => {
      waiting ??= Promise.withResolvers();
    },
    end: () => {
      waiting?.resolve();
      waiting = null;
    },
    get over() {
      return waiting?.promise ?? null;
    },
  };
}

/** Viewers of one log share its events, so each frame is encoded once. */
const frames = new WeakMap<GenerationEvent, Buffer>();

function frameOf(generationId: string, event: GenerationEvent): Buffer {
  let frame = frames.get(event);
  if (frame === undefined) {
    frame = Buffer.from(JSON.stringify({ type: 'event', generationId, event } satisfies ServerFrame));
    frames.set(event, frame);
  }
  return frame;
}

function sinkFor(ws: WebSocket, flow: ConnectionFlow, pause: Pause, generationId: string): ViewerSink {
  return {
    ready: () => pause.over === null && flow.ready(),
    whenReady: async () => {
      await pause.over;
      return flow.whenReady();
    },
    send: (events) => {
      for (const event of events) sendText(ws, frameOf(generationId, event));
    },
    heartbeat: () => ws.ping(),
    // A client that asked for the pause is not slow.
    closeStalled: () => pause.over === null && closeStalled(ws),
    coalesces: true,
  };
}

export function closeStalled(ws: WebSocket): true {
  ws.close(CLOSE_STALLED, 'Too slow; come back with your cursors.');
  ws.terminate();
  return true;
}

/** Sends to a client that is there; for one that has gone, its `close` ends what follows for it. */
export function sendText(ws: WebSocket, text: string | Buffer): void {
  if (ws.readyState === ws.OPEN) ws.send(text, { binary: false });
}
