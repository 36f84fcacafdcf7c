/**
 * An upstream that breaks on purpose, written from the public description of Failover Bench (methodology 0.1). It
 * speaks chat completions, the name of the model chooses the fault, and every whole answer is the same sixty words. A
 * turn of the assistant at the end is continued; anything else is answered from the start, whatever it instructs.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export const ANSWER =
  'A gateway is tested by the day on which its provider fails and not by the many days on which it works because ' +
  'only then does it show whether it waits when it must and tries again where that helps and asks another model ' +
  'where it does not and never hands half of an answer to readers as if whole';

interface Timing {
  readonly slowFirstTokenMs: number;
  readonly stallMs: number;
  readonly noAnswerMs: number;
  readonly outageMs: number;
  readonly betweenTokensMs: number;
}

/** Of the published scorecards. */
export const FULL_TIMING: Timing = {
  slowFirstTokenMs: 20_000,
  stallMs: 30_000,
  noAnswerMs: 120_000,
  outageMs: 60_000,
  betweenTokensMs: 15,
};

const RETRY_AFTER_SECONDS = 2;
const CUT_AFTER_TOKENS = 40;
const STALL_AFTER_TOKENS = 20;
const MALFORMED_AT_TOKEN = 10;

interface Attempt {
  readonly model: string;
  /** Since the last reset. */
  readonly atMs: number;
  /** Whether it was refused because its last turn is the assistant's. */
  isPrefillRefused: boolean;
  isAnswered: boolean;
}

interface Call {
  readonly attempt: Attempt;
  /** 1 for the first of this model since the last reset. */
  readonly number: number;
  readonly request: ChatRequest;
  readonly response: ServerResponse;
}

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

export class BreakingUpstream {
  readonly #server: Server;
  readonly #timing: Timing;
  #attempts: Attempt[] = [];
  #resetAtMs = Date.now();

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  reset(): void {
    this.#attempts = [];
    this.#resetAtMs = Date.now();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const bytes of incoming) body.push(bytes);
    const request = JSON.parse(Buffer.concat(body).toString()) as ChatRequest;
    const atMs = Date.now() - this.#resetAtMs;
    const attempt = { model: request.model, atMs, isPrefillRefused: false, isAnswered: false };
    this.#attempts.push(attempt);
    const number = this.#attempts.filter(({ model }) => model === request.model).length;
    await this.#answer({ attempt, number, request, response });
  }

  async #answer(call: Call): Promise<void> {
    const { attempt, number, request, response } = call;
    const isFirst = number === 1;
    switch (request.model) {
      case 'no-prefill':
        if (request.messages.at(-1)?.role !== 'assistant') return this.#complete(call);
        attempt.isPrefillRefused = true;
        return refuse(
          response,
          400,
          'This model does not support assistant message prefill.',
          'invalid_prefill',
        );
      case 's01':
        if (!isFirst) return this.#complete(call);
        response.setHeader('retry-after', RETRY_AFTER_SECONDS);
        return refuse(response, 429, 'Rate limit reached.', 'rate_limit_exceeded');
      case 's02':
        return refuse(response, 429, 'Rate limit reached.', 'rate_limit_exceeded');
      case 's03':
        return isFirst ? refuse(response, 500, 'The server had an error.', null) : this.#complete(call);
      case 's04':
      case 's16':
        return refuse(response, 503, 'The engine is currently overloaded.', 'overloaded');
      case 's05':
        if (!isFirst) return this.#complete(call);
        response.socket?.resetAndDestroy();
        return;
      case 's06':
        await this.#silence(response, this.#timing.noAnswerMs);
        return;
      case 's12':
        return refuse(
          response,
          400,
          "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens.",
          'context_length_exceeded',
        );
      case 's13':
        return refuse(
          response,
          400,
          'Your request was rejected as a result of our safety system.',
          'content_policy_violation',
        );
      case 's15':
        if (Date.now() - this.#resetAtMs >= this.#timing.outageMs) return this.#complete(call);
        return refuse(response, 503, 'The engine is currently overloaded.', 'overloaded');
      default:
        return this.#complete(call);
    }
  }

  async #silence(response: ServerResponse, forMs: number): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await wait(forMs, undefined, { signal: gone.signal }).catch(() => undefined);
    response.destroy();
  }

  async #complete({ attempt, request, response }: Call): Promise<void> {
    const { model } = request;
    const words = wordsLeft(request);
    const usage = { prompt_tokens: 20, completion_tokens: words.length, total_tokens: 20 + words.length };
    const head = { id: `chatcmpl-${this.#attempts.length}`, created: Math.floor(Date.now() / 1_000), model };
    if (request.stream !== true) {
      const message = { role: 'assistant', content: words.join('') };
      attempt.isAnswered = true;
      response.setHeader('content-type', 'application/json');
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const send = (rest: object) =>
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest })}\n\n`);
    const sendDelta = (delta: object, reason: string | null = null) =>
      send({ choices: [{ index: 0, delta, finish_reason: reason }] });
    if (model === 's07') await wait(this.#timing.slowFirstTokenMs);
    sendDelta({ role: 'assistant', content: '' });
    for (const [index, word] of words.entries()) {
      if ((model === 's08' || model === 's14') && index === CUT_AFTER_TOKENS) {
        response.destroy();
        return;
      }
      if (model === 's09' && index === STALL_AFTER_TOKENS) {
        await this.#silence(response, this.#timing.stallMs);
        return;
      }
      if (model === 's10' && index === MALFORMED_AT_TOKEN) {
        response.write(`data: {"id": "${head.id}", "choices": [{"delta": {"content": \n\n`);
      }
      sendDelta({ content: word });
      await wait(this.#timing.betweenTokensMs);
    }
    sendDelta({}, 'stop');
    send({ choices: [], usage });
    attempt.isAnswered = true;
    response.end(model === 's11' ? '' : 'data: [DONE]\n\n');
  }
}

/** The words that a request asks for, each with the space before it. */
function wordsLeft({ messages }: ChatRequest): string[] {
  const last = messages.at(-1);
  const held = last?.role === 'assistant' && typeof last.content === 'string' ? last.content.trim() : '';
  const left = ANSWER.startsWith(held) ? ANSWER.slice(held.length) : ANSWER;
  return left.match(/ ?\S+/g) ?? [];
}

function refuse(response: ServerResponse, status: number, message: string, code: string | null): void {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type, param: null, code } }));
}
