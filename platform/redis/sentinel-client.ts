/**
 * The master that sentinels name. One connection to it at a time: when the sentinels have promoted another server, a
 * connection to that one takes its place, and whatever waits for the old one is rejected as after a restart.
 *
 * node-redis' own client of sentinels sends a command again after a broken connection, although the master may have
 * carried it out. Here the caller decides, as with one server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import type { ClientOptions, MessageListener, RedisClient } from './redis-client.ts';
import { answeredWithin, type RedisConnection, unconnectedRedis } from './redis-connection.ts';
import { confirmOnReplicas } from './replica-confirmation.ts';

/** How often the sentinels are asked who is master. */
const ASK_EVERY_MS = 500;
const ASK_WITHIN_MS = 2_000;

interface SentinelPlace {
  /** URLs of sentinels. */
  readonly sentinels: readonly string[];
  /** The name under which they know the master. */
  readonly master: string;
  /** User, password, TLS and database of the master and its replicas; its host and port are replaced. */
  readonly serverUrl: string;
}

export async function connectThroughSentinels(
  place: SentinelPlace,
  options: ClientOptions,
): Promise<RedisClient> {
  const followed = new FollowedMaster(place, options);
  await followed.start();
  return new Proxy(Object.create(null), {
    get: (_, name) => {
      const source: object = Reflect.has(followed, name) ? followed : followed.connection;
      const value: unknown = Reflect.get(source, name);
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}

interface Subscription {
  readonly kind: 'all' | 'shard';
  readonly listener: MessageListener;
}

class FollowedMaster {
  readonly #place: SentinelPlace;
  readonly #options: ClientOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #readyListeners: (() => void)[] = [];
  #address = '';
  #connection: RedisConnection | undefined;
  #asking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(place: SentinelPlace, options: ClientOptions) {
    this.#place = place;
    this.#options = options;
  }

  get connection(): RedisConnection {
    if (this.#connection === undefined) throw new Error('no connection before the start');
    return this.#connection;
  }

  /** Resolves when the master is connected. */
  async start(): Promise<void> {
    while (this.#connection === undefined) {
      await this.#follow().catch(this.#report);
      if (this.#connection === undefined) await sleep(ASK_EVERY_MS);
    }
    this.#askAgain();
  }

  on(event: string, listener: () => void): void {
    if (event === 'ready') this.#readyListeners.push(listener);
  }

  async subscribe(channel: string, listener: MessageListener): Promise<void> {
    this.#subscriptions.set(channel, { kind: 'all', listener });
    await this.#onCurrent((connection) => connection.subscribe(channel, listener));
  }

  async sSubscribe(channel: string, listener: MessageListener): Promise<void> {
    this.#subscriptions.set(channel, { kind: 'shard', listener });
    await this.#onCurrent((connection) => connection.sSubscribe(channel, listener));
  }

  async sUnsubscribe(channel: string): Promise<void> {
    this.#subscriptions.delete(channel);
    await this.#onCurrent((connection) => connection.sUnsubscribe(channel));
  }

  async close(): Promise<void> {
    this.#end();
    await this.connection.close();
  }

  destroy(): void {
    this.#end();
    this.connection.destroy();
  }

  #end(): void {
    this.#isClosed = true;
    clearTimeout(this.#asking);
  }

  readonly #report = (error: unknown): void => {
    if (error instanceof Error) this.#options.onError(error);
  };

  #askAgain(): void {
    if (this.#isClosed) return;
    this.#asking = setTimeout(() => {
      this.#follow()
        .catch(this.#report)
        .finally(() => this.#askAgain());
    }, ASK_EVERY_MS).unref();
  }

  async #follow(): Promise<void> {
    const address = await this.#masterAddress();
    if (address === this.#address || this.#isClosed) return;
    const url = new URL(this.#place.serverUrl);
    url.host = address;
    const { onError, answerMs, replicas } = this.#options;
    const connection = unconnectedRedis(url.href, onError, answerMs);
    try {
      await answeredWithin(answerMs, connection.connect());
      const role = (await connection.role())?.role;
      if (role !== 'master') throw new Error(`${address} is named as the master, and is a ${role} still.`);
      await this.#subscribeAll(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    if (replicas !== undefined) confirmOnReplicas(connection, replicas, this.#options);
    connection.on('ready', () => this.#reportReady());
    const previous = this.#connection;
    this.#connection = connection;
    this.#address = address;
    previous?.destroy();
    if (previous !== undefined) this.#reportReady();
  }

  /** Acts again if the master has changed meanwhile. */
  async #onCurrent(act: (connection: RedisConnection) => Promise<void>): Promise<void> {
    for (;;) {
      const at = this.connection;
      try {
        await act(at);
        if (at === this.connection) return;
      } catch (error) {
        if (at === this.connection) throw error;
      }
    }
  }

  async #subscribeAll(connection: RedisConnection): Promise<void> {
    for (const [channel, { kind, listener }] of this.#subscriptions) {
      if (kind === 'shard') await connection.sSubscribe(channel, listener);
      else await connection.subscribe(channel, listener);
    }
  }

  #reportReady(): void {
    for (const listener of this.#readyListeners) listener();
  }

  /** Host and port, of the first sentinel that answers. */
  async #masterAddress(): Promise<string> {
    const failures: unknown[] = [];
    for (const url of this.#place.sentinels) {
      try {
        return await askSentinel(url, this.#place.master);
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, `No sentinel named the master ${this.#place.master}.`);
  }
}

/** @returns host and port of the master, as that sentinel knows it. Throws if it does not answer or knows none. */
export async function askSentinel(url: string, master: string): Promise<string> {
  const sentinel = createClient({
    url,
    RESP: 2,
    socket: { connectTimeout: ASK_WITHIN_MS, socketTimeout: ASK_WITHIN_MS, reconnectStrategy: false },
  });
  sentinel.on('error', () => undefined);
  try {
    await sentinel.connect();
    const reply = await sentinel.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]);
    if (!Array.isArray(reply)) throw new Error(`The sentinel does not know a master named ${master}.`);
    const [host, port] = reply.map(String);
    return host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  } finally {
    sentinel.destroy();
  }
}
