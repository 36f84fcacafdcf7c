/**
 * `WS /v1/stream`: follows several generations on one socket, each from its own cursor. Relays like SSE: when the
 * client stops reading, each relay waits and keeps only its cursor.
 */
import type { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { clientFrameSchema, type ServerFrame } from '../../contracts/websocket.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { parseWith } from '../http/read-request.ts';
import { type Cursor, checkCursor } from './check-cursor.ts';
import { ConnectionFlow } from './connection-flow.ts';
import { relayEvents } from './relay-events.ts';
import {
  closeStalled,
  type FrameWork,
  type OpenSocket,
  type SocketRoute,
  type SocketSession,
  sendText,
} from './socket-route.ts';
import { Stop } from './stop.ts';
import { textFrame } from './text-frame.ts';
import type { ViewerSink } from './viewer.ts';

interface Subscription {
  readonly leave: Stop;
  readonly pause: Pause;
}

type Subscribe = Extract<z.output<typeof clientFrameSchema>, { type: 'subscribe' }>;

export function openStreamSocket(dependencies: ApiDependencies): SocketRoute {
  return {
    maxFrameBytes: LIMITS.webSocketFrameBytes,
    takesTickets: true,
    counts: 'work',
    open: (socket) => new StreamSession(dependencies, socket),
  };
}

class StreamSession implements SocketSession {
  readonly #dependencies: ApiDependencies;
  readonly #socket: OpenSocket;
  readonly #flow: ConnectionFlow;
  readonly #subscriptions = new Map<string, Subscription>();
  #isClosed = false;

  constructor(dependencies: ApiDependencies, socket: OpenSocket) {
    this.#dependencies = dependencies;
    this.#socket = socket;
    this.#flow = new ConnectionFlow(socket.connection);
  }

  take(json: unknown): FrameWork | null {
    const frame = parseWith(clientFrameSchema, json, 'frame');
    if (frame.type === 'ping') this.#send({ type: 'pong' });
    else if (frame.type === 'subscribe') return this.#subscribe(frame);
    else {
      const subscription = this.#subscriptions.get(frame.generationId);
      if (frame.type === 'pause') subscription?.pause.begin();
      else subscription?.pause.end();
      if (frame.type === 'unsubscribe' && subscription !== undefined) {
        this.#unsubscribe(frame.generationId, subscription);
      }
    }
    return null;
  }

  refuse(error: UnbrokenError): void {
    this.#send({ type: 'error', error: error.toBody() });
  }

  close(): void {
    this.#isClosed = true;
    for (const { leave, pause } of this.#subscriptions.values()) {
      leave.abort();
      pause.end();
    }
  }

  /** Registers the subscription before any await, so that a `pause` in the next frame finds it. */
  #subscribe({ generationId, after, at }: Subscribe): FrameWork {
    const fail = (error: UnbrokenError) => {
      this.#send({ type: 'error', generationId, error: error.toBody() });
    };
    const refusal = this.#refusalOf(generationId);
    if (refusal !== null) return { run: () => Promise.reject(refusal), fail };
    const subscription = { leave: new Stop(), pause: new Pause() };
    if (this.#isClosed) subscription.leave.abort();
    this.#subscriptions.set(generationId, subscription);
    return {
      run: (begun) => {
        begun();
        return this.#relay(generationId, { after, at }, subscription);
      },
      fail: (error) => {
        this.#drop(generationId, subscription);
        if (!subscription.leave.aborted) fail(error);
      },
    };
  }

  /** Answers at once: the relay sends nothing after this, so the next frame may subscribe to the same generation. */
  #unsubscribe(generationId: string, { leave }: Subscription): void {
    leave.abort();
    this.#subscriptions.delete(generationId);
    this.#send({ type: 'unsubscribed', generationId });
  }

  #refusalOf(generationId: string): UnbrokenError | null {
    if (this.#subscriptions.has(generationId)) {
      return new UnbrokenError('invalid_request', 'This socket already follows that generation.');
    }
    if (this.#subscriptions.size < LIMITS.subscriptionsPerSocket) return null;
    const most = LIMITS.subscriptionsPerSocket;
    return new UnbrokenError('too_many_subscriptions', `One socket may follow ${most} generations.`);
  }

  async #relay(generationId: string, cursor: Cursor, subscription: Subscription): Promise<void> {
    const { caller } = this.#socket;
    const { leave: signal } = subscription;
    const head = await findGeneration(this.#dependencies, caller, generationId);
    await checkCursor(this.#dependencies.log, head, cursor);
    if (!signal.aborted) {
      const { after } = cursor;
      this.#send({ type: 'subscribed', generationId, after });
      const sink = new FrameSink(this.#socket, this.#flow, subscription.pause, generationId);
      await relayEvents(this.#dependencies, { generationId, after, sink, signal });
    }
    this.#drop(generationId, subscription);
    // After an `unsubscribe`, the client has this answer already and may have subscribed again.
    if (!signal.aborted) this.#send({ type: 'unsubscribed', generationId });
  }

  #drop(generationId: string, subscription: Subscription): void {
    if (this.#subscriptions.get(generationId) === subscription) this.#subscriptions.delete(generationId);
  }

  #send(frame: ServerFrame): void {
    sendText(this.#socket.ws, JSON.stringify(frame));
  }
}

/** Whether the client has paused a generation. */
class Pause {
  #waiting: PromiseWithResolvers<void> | null = null;

  begin(): void {
    this.#waiting ??= Promise.withResolvers();
  }

  end(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  /** Resolves at the end of the pause; null when there is none. */
  get over(): Promise<void> | null {
    return this.#waiting?.promise ?? null;
  }
}

/** Viewers of one log share its batches, so each is encoded once. */
const frames = new WeakMap<readonly GenerationEvent[], Buffer>();

function framesOf(generationId: string, events: readonly GenerationEvent[]): Buffer {
  let bytes = frames.get(events);
  if (bytes === undefined) {
    const encode = (event: GenerationEvent) =>
      textFrame(JSON.stringify({ type: 'event', generationId, event } satisfies ServerFrame));
    const [first = Buffer.alloc(0), ...others] = events.map(encode);
    bytes = others.length === 0 ? first : Buffer.concat([first, ...others]);
    frames.set(events, bytes);
  }
  return bytes;
}

class FrameSink implements ViewerSink {
  readonly coalesces = true;
  readonly #socket: OpenSocket;
  readonly #flow: ConnectionFlow;
  readonly #pause: Pause;
  readonly #generationId: string;

  constructor(socket: OpenSocket, flow: ConnectionFlow, pause: Pause, generationId: string) {
    this.#socket = socket;
    this.#flow = flow;
    this.#pause = pause;
    this.#generationId = generationId;
  }

  ready(): boolean {
    return this.#pause.over === null && this.#flow.ready();
  }

  async whenReady(): Promise<boolean> {
    await this.#pause.over;
    return this.#flow.whenReady();
  }

  /** `ws` writes its own frames at once too, because it compresses none, so they keep their order. */
  send(events: readonly GenerationEvent[]): void {
    const { ws, connection } = this.#socket;
    if (ws.readyState === ws.OPEN) connection.write(framesOf(this.#generationId, events));
  }

  heartbeat(): void {
    this.#socket.ws.ping();
  }

  /** A client that has paused is not stalled. */
  closeStalled(): boolean {
    return this.#pause.over === null && closeStalled(this.#socket.ws);
  }
}
