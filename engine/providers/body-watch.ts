/**
 * Watches the bytes of a provider's answers as they arrive, before any parser: SDKs drop comments and pings, and those
 * are signs of life. Keeps the start of a body that is JSON instead of a stream. Takes the body of a stream for a
 * reader that wants it straight from the connection.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { LIMITS } from '../../contracts/limits.ts';
import { DirectBody } from './direct-body.ts';

/** No line of a stream of server-sent events begins with these. */
const OBJECT = 0x7b;
const LIST = 0x5b;

export class BodyWatch {
  #lastByteAtMs = 0;
  #json: Buffer[] | null = null;
  #jsonBytes = 0;
  readonly #takesStreams: boolean;
  #body: DirectBody | null = null;
  #isEnded = false;
  #onEnd: () => void = () => undefined;

  /** @param takesStreams whether the body of a stream goes to `body`; the response of `fetch` then has an empty one. */
  constructor({ takesStreams }: { readonly takesStreams: boolean }) {
    this.#takesStreams = takesStreams;
  }

  /** Of the last answer; null if `fetch` has it. */
  get body(): DirectBody | null {
    return this.#body;
  }

  /** Calls `onEnd` once the last answer has ended, also by a broken connection; at once if it has. */
  whenEnded(onEnd: () => void): void {
    if (this.#isEnded) onEnd();
    else this.#onEnd = onEnd;
  }

  /** ms since 1970; 0 if no byte has arrived. */
  get lastByteAtMs(): number {
    return this.#lastByteAtMs;
  }

  /** The start of the last body if it is JSON, else ''. */
  get json(): string {
    return this.#json === null ? '' : Buffer.concat(this.#json).toString();
  }

  /** @returns a dispatcher of the agent whose answers are watched. */
  on(agent: Dispatcher): Dispatcher {
    return agent.compose((dispatch) => (options, handler) => dispatch(options, this.#watched(handler)));
  }

  /** The handler itself, but for the data: `fetch` keeps its state in the handler. */
  #watched(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    const watch = this;
    let isFirst = true;
    const own: Dispatcher.DispatchHandler = {
      onResponseStart(controller, status, headers, message) {
        watch.#isEnded = false;
        watch.#body = watch.#takesStreams && isStream(status, headers) ? new DirectBody(controller) : null;
        return handler.onResponseStart?.call(this, controller, status, headers, message);
      },
      onResponseData(controller, chunk) {
        watch.#note(chunk, isFirst);
        isFirst = false;
        if (watch.#body !== null) watch.#body.push(chunk);
        else handler.onResponseData?.call(this, controller, chunk);
      },
      onResponseEnd(controller, trailers) {
        watch.#end(null);
        return handler.onResponseEnd?.call(this, controller, trailers);
      },
      onResponseError(controller, error) {
        watch.#end(error);
        return handler.onResponseError?.call(this, controller, error);
      },
    };
    return Object.assign(Object.create(handler) as Dispatcher.DispatchHandler, own);
  }

  #end(error: Error | null): void {
    this.#body?.end(error);
    this.#isEnded = true;
    this.#onEnd();
  }

  #note(chunk: Buffer, isFirst: boolean): void {
    this.#lastByteAtMs = Date.now();
    if (isFirst) {
      const [byte] = chunk;
      this.#json = byte === OBJECT || byte === LIST ? [] : null;
      this.#jsonBytes = 0;
    }
    if (this.#json === null || this.#jsonBytes >= LIMITS.errorBodyBytes) return;
    this.#json.push(chunk);
    this.#jsonBytes += chunk.length;
  }
}

/** An encoded body is left to `fetch`, which decodes it. */
function isStream(status: number, headers: IncomingHttpHeaders): boolean {
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity';
  return status === 200 && isPlain && /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
}
