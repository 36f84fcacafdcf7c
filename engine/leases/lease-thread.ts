/**
 * The thread of a worker that renews its lease. The main thread may be busy for longer than a lease lasts, without
 * being dead: so the lease is renewed here, until the main thread has done nothing at all for `MAIN_STALL_MS`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RedisPlace } from '../../platform/config/redis-schema.ts';
import { openRedis } from '../../platform/redis/open-redis.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { type LeaseName, RedisLease } from './redis-lease.ts';
import type { LeasedRun } from './run-leases.ts';

/** A main thread that has not run for this long counts as dead. */
const MAIN_STALL_MS = 2_000;

export interface LeaseThreadData {
  readonly name: LeaseName;
  readonly redisPlace: RedisPlace;
  readonly redisAnswerMs: number;
  /** Raised by the main thread whenever it runs. */
  readonly pulse: SharedArrayBuffer;
}

export type MessageToKeeper =
  | { readonly kind: 'put'; readonly run: LeasedRun; readonly isUrgent: boolean }
  | { readonly kind: 'drop'; readonly run: LeasedRun }
  | { readonly kind: 'stop' };
export type MessageFromKeeper =
  | { readonly kind: 'taken'; readonly runs: readonly LeasedRun[] }
  | { readonly kind: 'error'; readonly message: string };

const port = parentPort;
if (port === null) throw new Error('This file runs as a thread only.');
const { name, redisPlace, redisAnswerMs, pulse } = workerData as LeaseThreadData;
const beats = new Int32Array(pulse);
const send = (message: MessageFromKeeper) => port.postMessage(message);
const report = (error: unknown) => send({ kind: 'error', message: String(error) });

let seen = Atomics.load(beats, 0);
let seenAtMs = performance.now();
function isMainAlive(): boolean {
  const beat = Atomics.load(beats, 0);
  const nowMs = performance.now();
  if (beat !== seen) seenAtMs = nowMs;
  seen = beat;
  return nowMs - seenAtMs < MAIN_STALL_MS;
}

const redis = await openRedis(redisPlace, { onError: report, answerMs: redisAnswerMs });
const keeper = new LeaseKeeper({
  lease: new RedisLease(redis, name),
  silentMs: name.silentMs,
  mayRenew: isMainAlive,
  onTaken: (runs) => send({ kind: 'taken', runs }),
});
port.on('message', async (messages: readonly MessageToKeeper[]) => {
  for (const message of messages) {
    if (message.kind === 'put') keeper.put(message.run, message);
    if (message.kind === 'drop') keeper.drop(message.run);
  }
  if (messages.at(-1)?.kind !== 'stop') return;
  await keeper.stop();
  await redis.close();
  port.close();
});
keeper.start();
