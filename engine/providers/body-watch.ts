/**
 * Watches the bytes of a provider's answers as they arrive, before any parser: SDKs drop comments and pings, and those
 * are signs of life. Keeps the start of a body that is JSON instead of a stream.
 */
import type { Agent, Dispatcher } from 'undici';
import { LIMITS } from '../../contracts/limits.ts';

/** No line of a stream of server-sent events begins with these. */
const OBJECT = 0x7b;
const LIST = 0x5b;

export class BodyWatch {
  #lastByteAtMs = 0;
  #json: Buffer[] | null = null;
  #jsonBytes = 0;

  /** ms since 1970; 0 if no byte has arrived. */
  get lastByteAtMs(): number {
    return this.#lastByteAtMs;
  }

  /** The start of the last body if it is JSON, else ''. */
  get json(): string {
    return this.#json === null ? '' : Buffer.concat(this.#json).toString();
  }

  /** @returns a dispatcher of the agent whose answers are watched. */
  on(agent: Agent): Dispatcher {
    return agent.compose((dispatch) => (options, handler) => dispatch(options, this.#watched(handler)));
  }

  /** The handler itself, but for the data: `fetch` keeps its state in the handler. */
  #watched(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    const note = (chunk: Buffer, first: boolean) => this.#note(chunk, first);
    let isFirst = true;
    return Object.assign(Object.create(handler) as Dispatcher.DispatchHandler, {
      onResponseData(
        this: Dispatcher.DispatchHandler,
        controller: Dispatcher.DispatchController,
        chunk: Buffer,
      ) {
        note(chunk, isFirst);
        isFirst = false;
        return handler.onResponseData?.call(this, controller, chunk);
      },
    });
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
