/** A receiver of webhooks over HTTP: keeps all that arrives, and answers some first attempts badly or not at all. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { createRandom, type Random } from '../../harness/random.ts';
import type { ReceivedDelivery } from './checks/check-deliveries.ts';

/** One in so many first attempts is answered with a 500; and one has its connection cut after it was received. */
const ONE_IN_REFUSED = 12;
const ONE_IN_CUT = 20;

export class Receiver {
  readonly #server: Server;
  readonly #random: Random;
  /** Verifies signatures; calls nothing. */
  readonly #openai = new OpenAI({ apiKey: 'unused', baseURL: 'http://127.0.0.1:1' });
  readonly #secrets = new Map<string, string>();
  readonly #received: ReceivedDelivery[] = [];
  readonly #ids = new Set<string>();
  #refused = 0;

  constructor(seed: number) {
    this.#random = createRandom(seed * 400_009);
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
  }

  get received(): readonly ReceivedDelivery[] {
    return this.#received;
  }

  /** Attempts that it did not accept. */
  get refused(): number {
    return this.#refused;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  urlOf(receiver: string): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/${receiver}`;
  }

  /** With what the deliveries at this path are signed. */
  expect(receiver: string, secret: string): void {
    this.#secrets.set(receiver, secret);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    const receiver = request.url?.slice(1) ?? '';
    const webhookId = String(request.headers['webhook-id']);
    const isSigned = await this.#isSigned(receiver, body, request);
    const { type, data } = JSON.parse(body) as { type: string; data: { id: string; step?: string } };
    this.#received.push({
      receiver,
      webhookId,
      isSigned,
      body,
      type,
      dataId: data.id,
      step: data.step ?? '',
    });
    const isFirst = !this.#ids.has(webhookId);
    this.#ids.add(webhookId);
    const isRefused = isFirst && this.#random.between(1, ONE_IN_REFUSED) === 1;
    const isCut = isFirst && this.#random.between(1, ONE_IN_CUT) === 1;
    if (isRefused || isCut) this.#refused += 1;
    if (isCut) response.destroy();
    else response.writeHead(isRefused ? 500 : 200).end();
  }

  async #isSigned(receiver: string, body: string, { headers }: IncomingMessage): Promise<boolean> {
    try {
      await this.#openai.webhooks.unwrap(
        body,
        headers as Record<string, string>,
        this.#secrets.get(receiver) ?? '',
      );
      return true;
    } catch {
      return false;
    }
  }
}
