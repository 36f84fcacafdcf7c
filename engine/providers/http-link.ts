/**
 * Connects one call to its provider: the key, and a `fetch` for the vendor's SDK. That `fetch` limits the time to
 * connect, reports the headers of an answer to the gate, notes every sign of life, and keeps the head of a refusal for
 * the mapping of errors.
 */
import {
  Agent,
  type Dispatcher,
  EnvHttpProxyAgent,
  type RequestInit,
  Response,
  fetch as undiciFetch,
} from 'undici';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { readText } from '../../contracts/read-text.ts';
import type { ProviderProxy } from '../../platform/config/proxy-environment.ts';
import { fetchAtOrigin } from '../../platform/fetch-at-origin.ts';
import { statusOfErrorBody } from '../vendor-errors/vendor-error.ts';
import { BodyWatch } from './body-watch.ts';
import type { ProviderCall } from './provider.ts';
import { MOST_WHOLE_CHARS, tooLong } from './server-events.ts';

export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  /** The body of an error; '' for any other answer. */
  readonly errorBody: string;
}

export interface Link {
  readonly apiKey: string;
  readonly fetch: typeof globalThis.fetch;
  /** Aborts the request: the caller cancelled, the provider was silent, or the reader left. */
  readonly signal: AbortSignal;
  /** The head of the last answer; null before the first. */
  head(): AnswerHead | null;
  /** The bytes of an answer that `fetch` has returned. Read them by this where the link was created to take streams. */
  bodyOf(answer: globalThis.Response): AsyncIterable<Uint8Array>;
  /**
   * Calls `cut` if the last answer has not ended within this time. One that ends by itself leaves its connection to the
   * next call; to cut it would cost that call a new one, and a handshake.
   */
  endWithin(limitMs: number, cut: () => void): void;
  /** When the last byte of an answer arrived, in ms since 1970: of a comment or a ping, too. 0: none has. */
  lastByteAtMs(): number;
}

/** How long an idle connection is kept for the next call, unless the server asks for less. */
const KEEP_ALIVE_MS = 15_000;
const agents = new Map<string, Dispatcher>();

/**
 * All calls of the process share connections. `readInTime` limits silence in an answer, so there is no timeout here.
 */
function agentFor({ connectMs, proxy = null }: Pick<LinkSettings, 'connectMs' | 'proxy'>): Dispatcher {
  const name = JSON.stringify([connectMs, proxy]);
  const known = agents.get(name);
  if (known !== undefined) return known;
  const direct = {
    connect: { timeout: connectMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const agent =
    proxy === null
      ? new Agent(direct)
      : new EnvHttpProxyAgent({
          ...direct,
          connectTimeout: connectMs,
          httpProxy: proxy.http,
          httpsProxy: proxy.https,
          noProxy: proxy.except,
        });
  agents.set(name, agent);
  return agent;
}

interface LinkSettings {
  readonly apiKey: string;
  readonly connectMs: number;
  /** Absent: none. */
  readonly proxy?: ProviderProxy | null;
  /** Whether streams are read by `bodyOf`, not by an SDK. */
  readonly takesStreams?: boolean;
}

export function createLink(
  call: Pick<ProviderCall, 'apiKey' | 'onHeaders'>,
  settings: LinkSettings,
  signal: AbortSignal,
): Link {
  let head: AnswerHead | null = null;
  const watch = new BodyWatch({ takesStreams: settings.takesStreams ?? false });
  const dispatcher = watch.on(agentFor(settings));
  const fetch = async (url: string, init: object) => {
    try {
      const request: RequestInit = { ...init, dispatcher };
      const answer = await fetchAtOrigin(undiciFetch, url, request);
      // undici's classes are another version of Node's globals; SDKs use only what both have.
      const headers = new Headers([...answer.headers]);
      // `fetch` would cancel an answer whose own body nobody reads when the answer is collected.
      if (watch.body !== null) answer.body?.getReader();
      const { response, errorBody } = await withErrorRead(answer);
      head = { status: response.status, headers, errorBody };
      // A refusal states its own wait, so its limits are not reported.
      if (response.ok) call.onHeaders?.(headers, response.status);
      return response;
    } catch (error) {
      if (isConnectTimeout(error)) {
        const message = `No connection within ${settings.connectMs} ms.`;
        throw new UnbrokenError('provider_connect_failed', message, { cause: error });
      }
      const [, status] = TUNNEL_REFUSED.exec(reasonOfAbort(error)) ?? [];
      if (status !== undefined) {
        const message = `The proxy on the way to the provider answered ${status}; check HTTPS_PROXY.`;
        throw new UnbrokenError('provider_connect_failed', message, { cause: error });
      }
      throw error;
    }
  };
  return {
    apiKey: call.apiKey ?? settings.apiKey,
    fetch: fetch as unknown as typeof globalThis.fetch,
    signal,
    bodyOf: (answer) => watch.body ?? answer.body ?? new ReadableStream({ start: (body) => body.close() }),
    head: () => head && withJsonBody(head, watch.json),
    endWithin(limitMs, cut) {
      const overdue = setTimeout(cut, limitMs).unref();
      watch.whenEnded(() => clearTimeout(overdue));
    },
    lastByteAtMs: () => watch.lastByteAtMs,
  };
}

/** Some servers send the JSON of an error in place of a stream and still call it one: SDKs find no event in it. */
function withJsonBody(head: AnswerHead, body: string): AnswerHead {
  if (head.errorBody !== '' || !hasStarted(head)) return head;
  const status = statusOfErrorBody(body);
  return status === null ? head : { ...head, status, errorBody: body };
}

/**
 * Reads the body of an error, because the SDKs pass on only parts of it. Some servers send an error as JSON with
 * status 200 instead of a stream. It gets the status that it should have had, so that every SDK reports an error.
 */
async function withErrorRead(
  answer: Response,
): Promise<{ readonly response: Response; readonly errorBody: string }> {
  const type = answer.headers.get('content-type') ?? '';
  const isNoStream = /^(?:application\/(?:[\w.-]+\+)?json|text\/html)\b/i.test(type);
  if (answer.status < 400 && !(answer.ok && isNoStream)) return { response: answer, errorBody: '' };
  const headers = new Headers([...answer.headers]);
  const body = answer.ok ? await readUnlessStream(answer) : await readText(answer, LIMITS.errorBodyBytes);
  if (typeof body !== 'string') return { response: copyOf(answer, body, headers), errorBody: '' };
  if (answer.ok && /^\s*</.test(body)) throw new UnbrokenError('provider_connect_failed', WEB_PAGE);
  const status = answer.status < 400 ? statusOfErrorBody(body) : answer.status;
  const response = copyOf(answer, body === '' ? null : body, headers, status ?? answer.status);
  return { response, errorBody: status === null ? '' : body };
}

const WEB_PAGE = 'The provider answered with a web page; check its base URL.';

function copyOf(
  { status: own, statusText }: Response,
  body: ConstructorParameters<typeof Response>[0],
  headers: Headers,
  status = own,
): Response {
  // The body is already decoded.
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
  return new Response(body, { status, statusText, headers: [...headers] });
}

/** The text of the body. Or the body, if it is a stream of events that its server calls JSON or a page. */
async function readUnlessStream({ body }: Response): Promise<string | ReadableStream<Uint8Array>> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const chunks: Uint8Array[] = [];
  let text = '';
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    chunks.push(value);
    text += decoder.decode(value, { stream: true });
    if (/^\s*[^\s{["<]/.test(text)) break;
    if (text.length > MOST_WHOLE_CHARS) {
      await reader.cancel();
      throw tooLong('a whole answer');
    }
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const held = chunks.shift();
      const next = held === undefined ? await reader.read() : { done: false, value: held };
      if (next.value === undefined) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function isConnectTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_CONNECT_TIMEOUT';
}

/** undici aborts a request whose proxy opens no connection. */
const TUNNEL_REFUSED = /^Proxy response \((\d+)\)/;

function reasonOfAbort(error: unknown): string {
  return String(Object(Object(Object(error).cause).cause).message);
}

/** Whether the answer had started: an error after that interrupts it, an earlier one prevents it. */
export function hasStarted(head: AnswerHead | null): boolean {
  return head !== null && head.status >= 200 && head.status < 300;
}
