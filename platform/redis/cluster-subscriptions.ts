/**
 * Subscriptions in a cluster. A shard channel lives where the slot of its name does, so each master with channels has
 * one connection that only subscribes, and a channel moves with its slot: after a failover, after resharding, and when
 * a master is unreachable. Messages may be lost in between, and each move is reported.
 *
 * node-redis' own cluster client subscribes again too, but reports neither a move nor its failure, and it misses a move
 * that overlaps with another subscription. A reader would then wait for text that was published elsewhere.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageListener } from './redis-client.ts';
import { answeredWithin, limitSilence, type ServerConnection } from './redis-connection.ts';

/** How often the place of every channel is checked, whatever was reported. */
const CHECK_EVERY_MS = 5_000;
const LONGEST_PAUSE_MS = 500;
/** Moves within this time are reported as one. */
const REPORT_AFTER_MS = 20;

/** A node-redis client of one server, as the cluster client hands it out. */
export interface ServerClient extends ServerConnection {
  readonly isOpen: boolean;
  duplicate(): object;
  connect(): Promise<unknown>;
  destroy(): void;
  subscribe(channel: string, listener: MessageListener): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  sSubscribe(channel: string, listener: MessageListener): Promise<void>;
  sUnsubscribe(channel: string): Promise<void>;
}

interface Surroundings {
  /** The client of the master that owns the slot of a channel. It ends when the cluster no longer has that master. */
  readonly ownerOf: (channel: string) => Promise<ServerClient>;
  /** Asks the cluster again who owns what. */
  readonly refresh: () => Promise<void>;
  /** Called when messages may have been lost. */
  readonly onMoved: () => void;
  readonly onError: (error: Error) => void;
  readonly answerMs: number;
}

interface Channel {
  readonly name: string;
  readonly kind: 'shard' | 'all';
  readonly listener: MessageListener;
  /** Where it is subscribed now. */
  at: ServerClient | null;
}

export class ClusterSubscriptions {
  readonly #surroundings: Surroundings;
  readonly #channels = new Map<string, Channel>();
  /** The subscribing connection beside the client of each master. */
  readonly #beside = new Map<ServerClient, Promise<ServerClient>>();
  #checking: NodeJS.Timeout | undefined;
  #reporting: NodeJS.Timeout | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** @param kind `all`: every server of the cluster passes the message on, so any may be the place. */
  async subscribe(name: string, kind: Channel['kind'], listener: MessageListener): Promise<void> {
    const channel: Channel = { name, kind, listener, at: null };
    this.#channels.set(name, channel);
    this.#checking ??= setInterval(() => this.#check().catch(this.#report), CHECK_EVERY_MS).unref();
    try {
      const { answerMs } = this.#surroundings;
      await answeredWithin(answerMs, this.#place(channel, performance.now() + answerMs));
    } catch (error) {
      if (this.#channels.get(name) === channel) this.#channels.delete(name);
      throw error;
    }
  }

  async unsubscribe(name: string): Promise<void> {
    const channel = this.#channels.get(name);
    this.#channels.delete(name);
    if (!channel?.at) return;
    const leaving = leave(channel.at, channel).catch(this.#report);
    // A server that is unreachable needs no notice, and the caller must not wait for its successor.
    if (channel.at.isReady) await leaving;
  }

  close(): void {
    clearInterval(this.#checking);
    clearTimeout(this.#reporting);
    this.#channels.clear();
    for (const opened of this.#beside.values()) opened.then((beside) => beside.destroy()).catch(this.#report);
  }

  readonly #report = (error: unknown): void => {
    if (error instanceof Error) this.#surroundings.onError(error);
  };

  /** Subscribes a channel at its owner; tries again until then. A channel that is left meanwhile is given up. */
  async #place(channel: Channel, untilMs: number): Promise<void> {
    for (let attempt = 1; this.#channels.get(channel.name) === channel; attempt += 1) {
      try {
        const owner = await this.#surroundings.ownerOf(channel.name);
        const beside = await this.#openBeside(owner);
        if (channel.kind === 'shard') await beside.sSubscribe(channel.name, channel.listener);
        else await beside.subscribe(channel.name, channel.listener);
        if (this.#channels.get(channel.name) === channel) channel.at = beside;
        else await leave(beside, channel);
        return;
      } catch (error) {
        if (performance.now() > untilMs) throw error;
        await sleep(Math.min(10 * 2 ** attempt, LONGEST_PAUSE_MS));
        await this.#surroundings.refresh().catch(this.#report);
      }
    }
  }

  #openBeside(owner: ServerClient): Promise<ServerClient> {
    const opened = this.#beside.get(owner) ?? this.#connectBeside(owner);
    this.#beside.set(owner, opened);
    return opened;
  }

  async #connectBeside(owner: ServerClient): Promise<ServerClient> {
    // `duplicate` returns the client itself; what `createClient` returns lies on top of one.
    const beside: ServerClient = Object.create(owner.duplicate());
    limitSilence(beside, this.#surroundings.answerMs);
    let connected = 0;
    beside.on('error', this.#surroundings.onError);
    beside.on('ready', () => {
      connected += 1;
      if (connected > 1) this.#reportSoon();
    });
    beside.on('sharded-channel-moved', (name: string) => this.#move([this.#channels.get(name)]));
    // What it was subscribed to has moved while it was disconnected, and it has dropped all its listeners.
    beside.on('__MOVED', () => this.#giveUp(owner, beside));
    owner.once('end', () => this.#giveUp(owner, beside));
    if (!owner.isOpen) throw new Error('The cluster no longer has this server.');
    await beside.connect();
    return beside;
  }

  #giveUp(owner: ServerClient, beside: ServerClient): void {
    this.#beside.delete(owner);
    beside.destroy();
    this.#move([...this.#channels.values()].filter(({ at }) => at === beside));
  }

  #move(channels: readonly (Channel | undefined)[]): void {
    for (const channel of channels) {
      if (channel === undefined) continue;
      channel.at = null;
      this.#place(channel, Number.POSITIVE_INFINITY).then(() => this.#reportSoon(), this.#report);
    }
  }

  #reportSoon(): void {
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      this.#surroundings.onMoved();
    }, REPORT_AFTER_MS);
  }

  /** A move that no server reported, as when it overlapped with another subscription of the connection. */
  async #check(): Promise<void> {
    if (this.#channels.size === 0) return;
    await this.#surroundings.refresh();
    for (const channel of [...this.#channels.values()]) {
      const { at, name } = channel;
      if (at === null || channel.kind === 'all') continue;
      const owner = await this.#surroundings.ownerOf(name);
      if ((await this.#beside.get(owner)) === at || channel.at !== at) continue;
      leave(at, channel).catch(this.#report);
      this.#move([channel]);
    }
  }
}

async function leave(at: ServerClient, { kind, name }: Channel): Promise<void> {
  if (kind === 'shard') await at.sUnsubscribe(name);
  else await at.unsubscribe(name);
}
