/** Sends one request as it is, below `fetch`, and judges the answer by what the API promises of any request. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { ERRORS, isErrorCode } from '../../contracts/errors.ts';
import { type Verdict, within } from './inputs.ts';
import type { FuzzRequest } from './route-requests.ts';

/** No answer of a healthy product takes so long. */
const ANSWER_MS = 20_000;
/** Of a stream as much is read; its end is not waited for. */
const STREAM_MS = 150;
/** What vendors' formats call our codes by. */
const VENDOR_CODES: ReadonlySet<string> = new Set(['previous_response_not_found']);

export interface FuzzAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** null where nothing came in time. @throws where the connection broke without an answer. */
export function ask(url: string, { method, target, headers, body }: FuzzRequest, key: string | null) {
  const { hostname, port } = new URL(url);
  const lines = [
    ...headers,
    ...(key === null ? [] : [['authorization', `Bearer ${key}`] as const]),
    ...(body === null ? [] : [['content-length', String(body.length)] as const]),
  ];
  return within(
    ANSWER_MS,
    new Promise<FuzzAnswer>((resolve, reject) => {
      const request = httpRequest({
        hostname,
        port,
        method,
        path: target,
        agent: false,
        headers: ['host', 'fuzz', ...lines.flat()],
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
        const done = () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
          request.destroy();
        };
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', done);
        if (isStream) setTimeout(done, STREAM_MS);
        response.on('error', (error) => (isStream ? done() : reject(error)));
      });
      request.on('error', reject);
      request.end(body ?? undefined);
    }),
  );
}

/** @param secrets what only another tenant may see. */
export function judge(answer: FuzzAnswer | null, method: string, secrets: readonly string[]): Verdict {
  if (answer === null) return `no answer within ${ANSWER_MS} ms`;
  const { status, headers, body } = answer;
  const leaked = secrets.find((secret) => body.includes(secret) || JSON.stringify(headers).includes(secret));
  if (leaked !== undefined) return `${status}: the answer holds what is another tenant's: ${leaked}`;
  if (/node_modules|\n {4}at /.test(body))
    return `${status}: the answer holds a stack: ${body.slice(0, 300)}`;
  if (status < 400 || method === 'HEAD') return null;
  return judgeError(answer);
}

function judgeError({ status, headers, body }: FuzzAnswer): Verdict {
  const summary = `${status} ${body.slice(0, 300)}`;
  if (headers['content-type']?.startsWith('application/json') !== true)
    return `an error that is not JSON: ${summary}`;
  const { code, message, doc } = errorIn(body);
  if (typeof message !== 'string' || message === '') return `an error without a message: ${summary}`;
  if (VENDOR_CODES.has(String(code))) return null;
  if (!isErrorCode(code)) return `an error without a known code: ${summary}`;
  if (doc !== `/docs/errors/${code}`) return `an error that leads to no page: ${summary}`;
  if (ERRORS[code].status !== status)
    return `${code} has the status ${ERRORS[code].status} in the table: ${summary}`;
  // All services are there. A provider's fault is reported as such.
  const isOfProvider = ERRORS[code].fallback || code === 'all_candidates_failed';
  return status >= 500 && !isOfProvider ? `a fault of ours: ${summary}` : null;
}

function errorIn(body: string): { code?: unknown; message?: unknown; doc?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !('error' in parsed)) return {};
    return typeof parsed.error === 'object' && parsed.error !== null ? parsed.error : {};
  } catch {
    return {};
  }
}
