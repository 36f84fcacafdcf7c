/**
 * Reads the frames of a WebSocket client for the session that serves it: counts, limits and parses them. Every error
 * of a frame is caught here, because one that escaped would end the process, and with it the streams of all tenants.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RawData } from 'ws';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { HeldBytes } from '../http/bytes-in-flight.ts';
import { parseOutsideJson } from '../http/parse-json.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { limitAnswers } from './limit-answers.ts';
import {
  closeStalled,
  type FrameWork,
  type OpenSocket,
  type SocketRoute,
  type SocketSession,
} from './socket-route.ts';

const CLOSE_INTERNAL = 1011;
/** Longest head of a frame from a client. */
const FRAME_HEAD_BYTES = 14;
/** Frames of one client that are handled before other clients get a turn; one packet may hold thousands. */
const FRAMES_PER_TURN = 16;
/** A client with this many queued frames is not read until all of them are handled. */
const WAITING_FRAMES = 256;

type Dependencies = Pick<ApiDependencies, 'rate' | 'bodies' | 'logger'>;

export function serveFrames(dependencies: Dependencies, route: SocketRoute, socket: OpenSocket): void {
  const { ws, connection } = socket;
  const session = route.open(socket);
  const frames = new SocketFrames(dependencies, route, socket, session);
  // Runs before the listener of `ws`, which emits the frame that these bytes complete.
  connection.prependListener('data', (bytes: Buffer) => frames.received(bytes.length));
  const tookControl = (payload: Buffer) => frames.tookControl(payload.length);
  ws.on('ping', tookControl);
  ws.on('pong', tookControl);
  ws.on('message', (data: RawData, isBinary: boolean) => frames.take(data, isBinary));
  ws.on('close', () => {
    frames.end();
    session.close();
  });
}

class SocketFrames {
  readonly #dependencies: Dependencies;
  readonly #route: SocketRoute;
  readonly #socket: OpenSocket;
  readonly #session: SocketSession;
  /** Bytes of a frame that is not complete yet. */
  readonly #partial: HeldBytes;
  /** Frames are handled in order of arrival, even while one waits to be admitted. */
  #last: Promise<void> = Promise.resolve();
  #taken = 0;
  #waiting = 0;
  #isHeldBack = false;

  constructor(dependencies: Dependencies, route: SocketRoute, socket: OpenSocket, session: SocketSession) {
    this.#dependencies = dependencies;
    this.#route = route;
    this.#socket = socket;
    this.#session = session;
    this.#partial = dependencies.bodies.hold(socket.caller.keyId);
  }

  received(bytes: number): void {
    try {
      this.#partial.add(bytes);
    } catch (error) {
      this.#refuse(error);
      closeStalled(this.#socket.ws);
    }
  }

  tookControl(bytes: number): void {
    this.#partial.release(bytes + FRAME_HEAD_BYTES);
  }

  end(): void {
    this.#partial.release();
  }

  take(data: RawData, isBinary: boolean): void {
    limitAnswers(this.#socket.ws, this.#socket.connection);
    this.#partial.release();
    const bytes = Buffer.isBuffer(data)
      ? data
      : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const held = this.#dependencies.bodies.hold(this.#socket.caller.keyId);
    this.#waiting += 1;
    if (this.#waiting >= WAITING_FRAMES) this.#holdBack();
    const taken = this.#last.then(() => this.#takeNext(bytes, isBinary, held));
    this.#last = taken
      .catch(async (error: unknown) => {
        held.release();
        await this.#refuseFrame(error);
      })
      .finally(() => this.#frameTaken());
  }

  /** @throws never */
  async #refuseFrame(error: unknown): Promise<void> {
    const { code } = toPublicError(error);
    const isCounted = this.#route.counts === 'all' || code === 'rate_limited';
    const refusal = isCounted
      ? null
      : await this.#admit().then(
          () => null,
          (rateLimit: unknown) => rateLimit,
        );
    this.#refuse(refusal ?? error);
    if (code === 'internal') this.#socket.ws.close(CLOSE_INTERNAL, 'Something failed.');
  }

  #holdBack(): void {
    this.#isHeldBack = true;
    this.#socket.ws.pause();
  }

  #frameTaken(): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || !this.#isHeldBack) return;
    this.#isHeldBack = false;
    this.#socket.ws.resume();
  }

  async #takeNext(bytes: Buffer, isBinary: boolean, held: HeldBytes): Promise<void> {
    const { bodies } = this.#dependencies;
    this.#taken += 1;
    if (this.#taken % FRAMES_PER_TURN === 0) await nextTurn();
    held.add(bytes.length);
    if (this.#route.counts === 'all') await this.#admit();
    if (bytes.length > LIMITS.largeBodyBytes) await bodies.turn();
    if (isBinary) throw new UnbrokenError('invalid_request', 'A frame is one JSON object, as text.');
    const work = this.#session.take(parseOutsideJson(bytes, 'frame'));
    if (work === null) held.release();
    else void this.#begin(work, held);
  }

  /** @throws never */
  async #begin(work: FrameWork, held: HeldBytes): Promise<void> {
    try {
      if (this.#route.counts === 'work') await this.#admit();
      await work.run(() => held.release());
    } catch (error) {
      this.#report(error, (publicError) => work.fail(publicError));
    } finally {
      held.release();
    }
  }

  #admit(): Promise<void> {
    return this.#dependencies.rate.admit(this.#socket.caller.keyId);
  }

  #refuse(error: unknown): void {
    this.#report(error, (publicError) => this.#session.refuse(publicError));
  }

  #report(error: unknown, send: (publicError: UnbrokenError) => void): void {
    const publicError = toPublicError(error);
    const { logger } = this.#dependencies;
    if (publicError.code === 'internal') logger.error({ err: error }, 'a websocket frame failed');
    try {
      send(publicError);
    } catch (sendError) {
      logger.error({ err: sendError }, 'the error of a websocket frame could not be sent');
      this.#socket.ws.terminate();
    }
  }
}
