/** What the product needs of Redis, whether one server answers, a cluster, or the master of sentinels. */
import type { RedisConnection } from './redis-connection.ts';

/** Commands whose keys all have one hash tag, so that a cluster can carry them out. */
export type KeyedCommand =
  | 'brPop'
  | 'del'
  | 'eval'
  | 'evalSha'
  | 'exists'
  | 'expire'
  | 'get'
  | 'getDel'
  | 'hDel'
  | 'hGet'
  | 'hGetAll'
  | 'hKeys'
  | 'hLen'
  | 'hmGet'
  | 'hScan'
  | 'hSet'
  | 'hVals'
  | 'lLen'
  | 'lPush'
  | 'lRange'
  | 'lRem'
  | 'mGet'
  | 'persist'
  | 'pExpire'
  | 'pExpireAt'
  | 'pTTL'
  | 'publish'
  | 'sAdd'
  | 'sCard'
  | 'set'
  | 'sIsMember'
  | 'sMembers'
  | 'sPublish'
  | 'sRem'
  | 'xLen'
  | 'xRange'
  | 'zAdd'
  | 'zCard'
  | 'zRange'
  | 'zRangeByScore'
  | 'zRangeWithScores'
  | 'zRem'
  | 'zRemRangeByRank'
  | 'zScan'
  | 'zScore';

/**
 * `scan` walks the names of all keys; in a cluster, those of one master after the other. Its cursors hold for one
 * `keyspace`, which names the servers and what they serve; null: keys are moving between them. If it was the same
 * before a walk and after it, the walk has missed nothing.
 */
export type RedisClient = Pick<RedisConnection, KeyedCommand | 'scan' | 'keyspace'> & {
  readonly isReady: boolean;
  /** `ready`: connected again, or subscribed at another server; messages sent in between are lost. */
  on(event: 'ready', listener: () => void): unknown;
  /** Of a cluster, any master that answers. */
  ping(): Promise<unknown>;
  subscribe(channel: string, listener: MessageListener): Promise<void>;
  sSubscribe(channel: string, listener: MessageListener): Promise<void>;
  sUnsubscribe(channel: string): Promise<void>;
  close(): Promise<unknown>;
  destroy(): void;
};

export type MessageListener = (message: string) => void;

/** `confirmed` writes: how many replicas must have each, and how long a write waits for them. */
export interface ReplicaWait {
  readonly count: number;
  readonly withinMs: number;
}

export interface ClientOptions {
  /** Receives connection errors, each followed by a reconnect. */
  readonly onError: (error: Error) => void;
  /** After which a command without an answer is rejected. */
  readonly answerMs: number;
  /** undefined: a write is answered as soon as the master has it. */
  readonly replicas?: ReplicaWait | undefined;
}
