/** Asks for the recorded answer of a vendor as a client of each format gets it. */
import { type FixtureServer, readFixture } from '../engine/providers/fixture-server.ts';
import type { Stack } from './stack.ts';

const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
type Format = keyof typeof PATHS;
export type Json = Record<string, unknown>;
/** The wire of the vendor, which is also the name of a provider in the stack, and the name of the recording. */
type Recorded = readonly [wire: string, name: string];

export class RecordedAnswers {
  readonly #stack: Stack;
  readonly #upstream: FixtureServer;
  #asked = 0;

  constructor(stack: Stack, upstream: FixtureServer) {
    this.#stack = stack;
    this.#upstream = upstream;
  }

  post(format: Format, model: string, extra: object): Promise<Response> {
    const headers = { 'x-unbroken-cache': 'off' };
    const body = JSON.stringify(this.#bodyOf(format, model, extra));
    return this.#stack.api.send(PATHS[format], { method: 'POST', headers, body });
  }

  async whole(format: Format, [wire, name]: Recorded, extra: object = {}) {
    this.#upstream.play(readFixture(wire, name));
    const response = await this.post(format, `${wire}/m`, extra);
    return { status: response.status, body: (await response.json()) as Json, headers: response.headers };
  }

  /** The same as the events of its stream. */
  async streamed(format: Format, [wire, name]: Recorded, extra: object = {}) {
    this.#upstream.play(readFixture(wire, name));
    const response = await this.post(format, `${wire}/m`, { ...extra, stream: true });
    const text = await response.text();
    const events = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? '') as Json);
    return { status: response.status, events, text };
  }

  #bodyOf(format: Format, model: string, extra: object): object {
    this.#asked += 1;
    const question = `Question ${this.#asked}`;
    const messages = [{ role: 'user', content: question }];
    if (format === 'responses') return { model, input: question, ...extra };
    return { model, messages, ...(format === 'messages' ? { max_tokens: 1_000 } : {}), ...extra };
  }
}
