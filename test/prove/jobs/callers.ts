/** The official clients and ours, at both APIs: what one does not answer is asked of the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createClient, type UnbrokenClient } from '../../../clients/typescript/index.ts';
import { type Fault, fault } from './checks/fault.ts';

const AGAIN_MS = 200;
const ANSWER_WITHIN_MS = 15_000;
/** No harm lasts as long. */
const GIVE_UP_MS = 240_000;

/** What a call got that was no answer: its status, or none at all. */
interface Failure {
  readonly status?: number | undefined;
  readonly message?: string;
}

export class Callers<Client> {
  readonly #clients: readonly Client[];
  readonly #signal: AbortSignal;
  readonly #faults: Fault[] = [];
  #silences = 0;

  /** @param signal nothing is asked any more. */
  constructor(clients: readonly Client[], signal: AbortSignal) {
    this.#clients = clients;
    this.#signal = signal;
  }

  /** Calls that no answer came to. */
  get silences(): number {
    return this.#silences;
  }

  /** Errors of the API that leave a caller at a loss: each is a fault of the product. */
  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** Until it is answered: each such call may be repeated. @throws a refusal, or after minutes without an answer */
  async ask<Answer>(what: string, call: (client: Client) => Promise<Answer>): Promise<Answer> {
    const giveUpAtMs = Date.now() + GIVE_UP_MS;
    for (let turn = 0; ; turn += 1) {
      this.#signal.throwIfAborted();
      const client = this.#clients[turn % this.#clients.length];
      if (client === undefined) throw new RangeError('There is no client.');
      try {
        return await call(client);
      } catch (error) {
        const { status, message = '' } = error as Failure;
        if (status !== undefined && status >= 400 && status < 500 && ![408, 429].includes(status))
          throw error;
        if (Date.now() > giveUpAtMs) throw new Error(`${what} was not answered`, { cause: error });
        if (status === undefined || status === 503) this.#silences += 1;
        else this.#faults.push(fault('unexplained', what, `${status} ${message.slice(0, 200)}`));
      }
      await sleep(AGAIN_MS);
    }
  }
}

/** Where callers reach the product, and until when. */
export interface Reach {
  readonly apis: readonly string[];
  readonly signal: AbortSignal;
}

export function openAiCallers({ apis, signal }: Reach, apiKey: string): Callers<OpenAI> {
  return new Callers(
    apis.map((url) => new OpenAI({ baseURL: `${url}/v1`, apiKey, timeout: ANSWER_WITHIN_MS })),
    signal,
  );
}

export function anthropicCallers({ apis, signal }: Reach, apiKey: string): Callers<Anthropic> {
  const clients = apis.map((baseURL) => new Anthropic({ baseURL, apiKey, timeout: ANSWER_WITHIN_MS }));
  return new Callers(clients, signal);
}

/** A call of ours gives up early, so that the other API is asked. */
export function unbrokenCallers({ apis, signal }: Reach, apiKey: string): Callers<UnbrokenClient> {
  const times = { requestGiveUpAfterMs: 1_000, requestTimeoutMs: ANSWER_WITHIN_MS };
  return new Callers(
    apis.map((baseUrl) => createClient({ baseUrl, apiKey, ...times })),
    signal,
  );
}
