/**
 * The relay on Cloudflare. A Worker may not share a connection between two requests, but a Durable Object may. There is
 * one object for each generation, so all its viewers in the world share one connection to the origin.
 */
import type { EdgeCache } from '../edge-cache.ts';
import { LiveStreams, type ViewOrder } from '../live-streams.ts';
import type { Origin } from '../origin.ts';
import { createRelay } from '../relay.ts';

interface Environment {
  /** Where the API is, such as https://api.example.com. */
  readonly ORIGIN: string;
  readonly GENERATIONS: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

/** Of the Workers runtime. A cache opened by name is separate from the one that answers requests by URL. */
declare const caches: { open(name: string): Promise<EdgeCache> };
const CACHE = 'unbroken-edge';
const INSIDE = 'https://generation.invalid/view';

export default {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { GENERATIONS } = environment;
    const relay = createRelay({
      origin: originOf(environment),
      cache: await caches.open(CACHE),
      viewLive: (order) => {
        const { tenant, id } = order.standing;
        const generation = GENERATIONS.get(GENERATIONS.idFromName(JSON.stringify([tenant, id])));
        return generation.fetch(new Request(INSIDE, { method: 'POST', body: JSON.stringify(order) }));
      },
    });
    return relay(request);
  },
};

/** Where the viewers of one generation meet. Only the Worker above can reach it, and it has checked each viewer. */
export class Generation {
  readonly #environment: Environment;
  #streams: Promise<LiveStreams> | undefined;

  constructor(_state: unknown, environment: Environment) {
    this.#environment = environment;
  }

  async fetch(request: Request): Promise<Response> {
    const order = (await request.json()) as ViewOrder;
    this.#streams ??= caches.open(CACHE).then((cache) => new LiveStreams(originOf(this.#environment), cache));
    return (await this.#streams).view(order, request.signal);
  }
}

function originOf({ ORIGIN }: Environment): Origin {
  return { url: ORIGIN.replace(/\/+$/, ''), fetch: (input, init) => fetch(input, init) };
}
