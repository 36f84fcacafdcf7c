/**
 * One call's way to its provider: its key, and a `fetch` for the vendor's SDK that limits the time to connect, reports
 * the head of an answer to the gate, and keeps that of a refusal for the mapping of errors.
 */
import { Agent, Response, fetch as undiciFetch } from 'undici';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { readText } from '../../contracts/read-text.ts';
import type { ProviderCall } from './provider.ts';
import { statusOfErrorBody } from './vendor-error.ts';

export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  /** The body of an error; '' of any other answer. */
  readonly errorBody: string;
}

export interface Link {
  readonly apiKey: string;
  readonly fetch: typeof globalThis.fetch;
  /** Ends the request: by the caller, on silence, or when the reader leaves. */
  readonly signal: AbortSignal;
  /** The head of the last answer; null before there is one. */
  head(): AnswerHead | null;
}

/** An idle connection is kept so long for the next call; a server that says less is obeyed. */
const KEEP_ALIVE_MS = 15_000;
const agents = new Map<number, Agent>();

/** Connections are shared by all calls of the process. Silence in an answer is limited by `readInTime`, not here. */
function agentFor(connectMs: number): Agent {
  const known = agents.get(connectMs);
  if (known !== undefined) return known;
  const agent = new Agent({
    connect: { timeout: connectMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  agents.set(connectMs, agent);
  return agent;
}

export function createLink(
  call: Pick<ProviderCall, 'apiKey' | 'onHeaders'>,
  settings: { readonly apiKey: string; readonly connectMs: number },
  signal: AbortSignal,
): Link {
  let head: AnswerHead | null = null;
  const dispatcher = agentFor(settings.connectMs);
  const fetch = async (url: string, init: object) => {
    try {
      const answer = await undiciFetch(url, { ...init, dispatcher });
      // undici's classes are those that Node has as globals, of another version; SDKs use only what both have.
      const headers = new Headers([...answer.headers]);
      const { response, errorBody } = await withErrorRead(answer);
      head = { status: response.status, headers, errorBody };
      // What a refusal says of limits is for who was refused: it has a wait of its own.
      if (response.ok) call.onHeaders?.(headers, response.status);
      return response;
    } catch (error) {
      if (isConnectTimeout(error)) {
        const message = `No connection within ${settings.connectMs} ms.`;
        throw new UnbrokenError('provider_connect_failed', message, { cause: error });
      }
      throw error;
    }
  };
  return {
    apiKey: call.apiKey ?? settings.apiKey,
    fetch: fetch as unknown as typeof globalThis.fetch,
    signal,
    head: () => head,
  };
}

/**
 * Reads the body of an error, which the SDKs pass on only in parts. Some servers send an error as a 200 that is JSON
 * instead of a stream; it gets the status that it should have had, so that every SDK reports it as an error.
 */
async function withErrorRead(
  answer: Response,
): Promise<{ readonly response: Response; readonly errorBody: string }> {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(answer.headers.get('content-type') ?? '');
  if (answer.status < 400 && !(answer.ok && isJson)) return { response: answer, errorBody: '' };
  const body = answer.ok ? await answer.text() : await readText(answer, LIMITS.errorBodyBytes);
  const status = answer.status < 400 ? statusOfErrorBody(body) : answer.status;
  const headers = new Headers([...answer.headers]);
  // The body is decoded already.
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
  const response = new Response(body === '' ? null : body, {
    status: status ?? answer.status,
    statusText: answer.statusText,
    headers: [...headers],
  });
  return { response, errorBody: status === null ? '' : body };
}

function isConnectTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_CONNECT_TIMEOUT';
}

/** Whether the answer had begun: an error after that cut it, one before it never let it begin. */
export function hasBegun(head: AnswerHead | null): boolean {
  return head !== null && head.status >= 200 && head.status < 300;
}
