/** Sends requests of one format through the product: each once, however many fields it is asked for. */
import type { Simulator } from '../simulator.ts';
import { type Format, UPSTREAMS, type Upstream } from './formats.ts';

export interface Sent {
  readonly status: number;
  /** The names in the header that says what did not reach the model. */
  readonly dropped: string;
  /** The message of an error; '' for none. */
  readonly message: string;
  /** How many requests the provider received. */
  readonly calls: number;
  /** The first that it received; null if none. */
  readonly upstream: Readonly<Record<string, unknown>> | null;
}

export const MODEL_PREFIX = 'field-';
let sequence = 0;

export class RequestSender {
  readonly #format: Format;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #sim: Simulator;
  readonly #sent = new Map<string, Promise<Sent>>();

  constructor(format: Format, { base, key, sim }: { base: string; key: string; sim: Simulator }) {
    this.#format = format;
    this.#base = base;
    this.#sim = sim;
    this.#headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
      // The simulator's text is no answer to a schema, and would be asked for again.
      'x-unbroken-output-check': 'off',
    };
  }

  /** @param body without what every request needs. The same one gives the same answer, and is not sent again. */
  send(body: Readonly<Record<string, unknown>>, upstream: Upstream): Promise<Sent> {
    const key = `${upstream} ${JSON.stringify(body)}`;
    const sent = this.#sent.get(key) ?? this.#send(body, upstream);
    this.#sent.set(key, sent);
    return sent;
  }

  /** Where a worker had too little of the machine, an attempt was lost and called again: no field does that twice. */
  async #send(body: Readonly<Record<string, unknown>>, upstream: Upstream): Promise<Sent> {
    const sent = await this.#sendOnce(body, upstream);
    if (sent.calls <= 1) return sent;
    const again = await this.#sendOnce(body, upstream);
    return again.calls < sent.calls ? again : sent;
  }

  async #sendOnce(body: Readonly<Record<string, unknown>>, upstream: Upstream): Promise<Sent> {
    sequence += 1;
    const model = `${MODEL_PREFIX}${sequence}-`;
    const request = this.#format.complete(body, `${UPSTREAMS[upstream]}/${model}`);
    const response = await fetch(`${this.#base}${this.#format.path}`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(request),
    });
    const text = await response.text();
    const received = response.status === 400 ? [] : await this.#sim.received(model);
    return {
      status: response.status,
      dropped: response.headers.get('x-unbroken-dropped') ?? '',
      message: response.ok ? '' : text,
      calls: received.length,
      upstream: received[0]?.body ?? null,
    };
  }
}
