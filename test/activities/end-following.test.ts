import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Stop, StreamControl } from '../../activities/attempt/running-streams.ts';
import { closeGeneration } from '../../activities/close-generation.ts';
import { type Followed, findLeader, followLeader } from '../../activities/follow-leader.ts';
import { readRecord } from '../../activities/generation-record.ts';
import { questionOf } from '../../activities/look-up-cache.ts';
import { endLog } from '../../api/generations/end-log.ts';
import type { EventBody } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { splitCost } from '../../contracts/share.ts';
import type { Flights } from '../../engine/cache/flights.ts';
import { RedisFlights } from '../../engine/cache/redis-flights.ts';
import { createThreadedVerifier } from '../../engine/cache/threaded-verifier.ts';
import type { EventLog, LogWriter } from '../../engine/streaming/event-log.ts';
import { type LiveLogs, RedisLiveLogs } from '../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import { withMethods } from '../../platform/with-methods.ts';
import { startTestRedis, type TestRedis } from '../engine/streaming/redis-server.ts';
import { faultsOf } from '../harness/check-events.ts';
import { loseTail } from '../harness/lose-tail.ts';
import { PATIENT } from '../harness/patience.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { waitFor } from '../harness/wait-for.ts';
import { CANDIDATE, cacheSettings, orderOf, stepOf } from './following-order.ts';

const EPOCH = 7;
const USED = { usage: { ...NO_USAGE, inputTokens: 20, outputTokens: 101 }, costMicroUsd: 1_001 };
const { leader: LEADERS_PART, each: SHARE } = splitCost(USED, 2);
let server: TestRedis;
let log: EventLog;
let live: LiveLogs;
let flights: Flights;
const following: (() => void)[] = [];
let count = 0;
let leader: string;
let leaderLog: LogWriter;
let follower: string;

beforeAll(async () => {
  server = await startTestRedis();
  const [redis, subscriber] = await Promise.all([server.connect(), server.connect()]);
  log = new RedisEventLog(redis, { retentionMs: 3_600_000 });
  live = new RedisLiveLogs(subscriber);
  const complaints = { of: async () => new Map() };
  const verifier = createThreadedVerifier(PATIENT, 'rules');
  flights = new RedisFlights({ redis, embedder: null, verifier, complaints });
});
afterAll(() => server?.stop());

afterEach(() => {
  for (const stop of following.splice(0)) stop();
});

beforeEach(async () => {
  count += 1;
  [leader, follower] = [`gen_leader${count}`, `gen_follower${count}`];
  leaderLog = await begin(leader);
  await flights.join(question(), leader, { askedAtMs: Date.now(), mayLead: true, acceptedFalseHits: 0.01 });
  await say('One ');
});

const question = () => questionOf(cacheSettings, orderOf(leader), inputOf());
const inputOf = () => ({
  messages: [{ role: 'user' as const, content: `Why ${count}?` }],
  maxOutputTokens: 200,
});

async function create(generationId: string): Promise<void> {
  const head = { generationId, tenant: 't', user: 'ann', route: 'default', requestHash: 'h', metadata: {} };
  await log.create({ ...head, input: inputOf() });
}

async function begin(generationId: string, epoch = EPOCH): Promise<LogWriter> {
  await create(generationId);
  return (await log.open(generationId, epoch)).writer;
}

async function say(text: string): Promise<void> {
  await leaderLog.write({ type: 'text-delta', text });
  await leaderLog.flush();
}

const fixShares = (writer = leaderLog, used = USED) =>
  flights.close(question(), { generationId: leader, opener: writer.opener, used });

async function endLeader(event?: EventBody): Promise<void> {
  const whole = { ...CANDIDATE, finishReason: 'stop', attempts: 1, cached: false } as const;
  const shared = { by: 2, ...SHARE };
  await leaderLog.write(event ?? { type: 'generation-end', ...whole, ...LEADERS_PART, shared });
  await leaderLog.flush();
}

/** A new follower in this process. */
async function startFollowing() {
  await create(follower);
  return follow(EPOCH);
}

/** One attempt of the follower. */
async function follow(epoch: number) {
  const abort = new AbortController();
  let why: Stop | null = null;
  const control: StreamControl = {
    epoch,
    signal: abort.signal,
    stopped: () => why,
    opened: () => undefined,
    stop(reason) {
      why ??= reason;
      abort.abort();
    },
  };
  const opened = await log.open(follower, epoch, () => control.stop('cancel'));
  const record = readRecord(opened.events);
  const step = stepOf(follower);
  const joined = await findLeader(
    { cacheSettings, flights },
    { step, log: opened, input: inputOf(), record },
  );
  if (joined === null) throw new Error('it follows');
  const followed = { step, control, log: opened, record, input: inputOf(), joined };
  const outcome = followLeader({ flights, live, log, providers: new Map() }, followed);
  outcome.catch(() => undefined);
  await waitFor('it copies', async () => textOf(await log.read(follower, -1)).includes('One '));
  const die = async () => {
    control.stop('leave');
    await expect(outcome).rejects.toMatchObject({ type: 'attempt_interrupted' });
  };
  following.push(() => control.stop('leave'));
  return { outcome, control, die };
}

const lastOf = async (generationId: string) => (await log.read(generationId, -1)).at(-1);

/** What the workflow does for a generation whose attempts have ended without writing its end. */
function close(generationId: string, as: 'failed' | 'cancelled') {
  const closing = closeGeneration({
    log,
    flights,
    countTexts: async (texts) => texts.map(() => 1),
    priceOf: () => 1,
    providers: new Map(),
    context: { read: async (_tenant, { messages }) => messages },
    compression: { read: async () => null },
    gate: { keyOf: () => undefined },
  });
  const error = { code: 'generation_timeout', message: 'It took too long.' } as const;
  return closing({ order: orderOf(generationId), as, error });
}

const paid = { usage: SHARE.usage, costMicroUsd: SHARE.costMicroUsd };
const nothing = { usage: NO_USAGE, costMicroUsd: 0 };

describe('a follower that was counted pays its share', () => {
  test('at the end of the answer', async () => {
    const { outcome } = await startFollowing();
    expect(await fixShares()).toBe(2);
    await endLeader();
    expect(await outcome).toMatchObject({ status: 'completed', cached: false, ...paid });
    expect(await lastOf(follower)).toMatchObject({ shared: { by: 2, ...paid }, ...paid });
    expect(faultsOf(await log.read(follower, -1))).toEqual([]);
    expect(SHARE.costMicroUsd + LEADERS_PART.costMicroUsd).toBe(USED.costMicroUsd);
  });

  test('of what the attempt used that ends the log, whatever a late one of the same epoch says', async () => {
    const { outcome } = await startFollowing();
    const late = leaderLog;
    leaderLog = (await log.open(leader, EPOCH)).writer;
    expect(await fixShares()).toBe(2);
    expect(await fixShares(late, { ...USED, costMicroUsd: 9_000 })).toBe(1);
    await endLeader();
    expect(await outcome).toMatchObject({ status: 'completed', ...paid });
  });

  test.each(['failed', 'cancelled'] as const)('where the workflow ends it as %s', async (as) => {
    const { die } = await startFollowing();
    await die();
    await fixShares();
    const closed = close(follower, as);
    // The close waits for the leader: without its end, nobody knows the share.
    await waitFor('the close asks', async () => (await flights.leave(leader, follower)).state === 'pending');
    expect((await log.head(follower))?.status).toBe('running');
    await endLeader();
    expect(await closed).toMatchObject({ status: as, ...paid });
    expect(await close(follower, as)).toMatchObject(paid);
  });

  test('when the caller cancels it', async () => {
    const { outcome, control } = await startFollowing();
    await fixShares();
    control.stop('cancel');
    await endLeader();
    expect(await outcome).toMatchObject({ status: 'cancelled', ...paid });
    expect(await lastOf(follower)).toMatchObject({ type: 'generation-cancel', ...paid });
  });

  test('when it is cancelled while no worker follows, though the answer is whole when one does again', async () => {
    const { die } = await startFollowing();
    await die();
    await fixShares();
    await log.requestCancel(follower);
    await endLeader();
    const next = await follow(EPOCH + 1);
    expect(await next.outcome).toMatchObject({ status: 'cancelled', ...paid });
    expect(await lastOf(follower)).toMatchObject({ type: 'generation-cancel', ...paid });
  });

  test('as cancelled when the caller cancels while the workflow ends it as failed', async () => {
    const { die } = await startFollowing();
    await die();
    await fixShares();
    await log.requestCancel(follower);
    await endLeader();
    expect(await close(follower, 'failed')).toMatchObject({ status: 'cancelled', ...paid });
    expect(await lastOf(follower)).toMatchObject({ type: 'generation-cancel', ...paid });
  });

  test('when its time is up, by the close of its log', async () => {
    const { outcome, control } = await startFollowing();
    await fixShares();
    control.stop('deadline');
    await expect(outcome).rejects.toMatchObject({ type: 'generation_timeout', nonRetryable: true });
    await endLeader();
    expect(await close(follower, 'failed')).toMatchObject(paid);
  });

  test('when its run is ended by hand, as soon as the share is known', async () => {
    const { die } = await startFollowing();
    await die();
    await fixShares();
    const reason = { code: 'internal', message: 'by hand' } as const;
    const parts = { log, flightMembers: flights };
    expect(await endLog(parts, follower, reason)).toBe(false);
    expect((await log.head(follower))?.status).toBe('running');
    await endLeader();
    expect(await endLog(parts, follower, reason)).toBe(true);
    const { usage, costMicroUsd } = paid;
    const estimated = { usage: { ...usage, estimated: true }, costMicroUsd };
    expect(await lastOf(follower)).toMatchObject({ type: 'generation-error', ...estimated });
  });

  test('if the log of its leader is gone before it could copy the end, and then continues alone', async () => {
    const { die } = await startFollowing();
    await die();
    await fixShares();
    await endLeader();
    await log.erase(leader);
    const next = await follow(EPOCH + 1);
    expect(await next.outcome).toBe(null);
    expect(await lastOf(follower)).toMatchObject({ type: 'cache-leave', reason: 'lost', share: paid });
    expect(readRecord(await log.read(follower, -1))).toMatchObject({ follows: null, ...paid });
  });

  test('even if its leader is silent for long between fixing the shares and its end', async () => {
    const { outcome } = await startFollowing();
    const leave = jest.spyOn(flights, 'leave');
    await fixShares();
    await waitFor('it asks whether it may leave', () => leave.mock.calls.length > 0, 30_000);
    leave.mockRestore();
    await endLeader();
    expect(await outcome).toMatchObject({ status: 'completed', ...paid });
  });
});

describe('a follower that was not counted pays nothing', () => {
  test.each(['failed', 'cancelled'] as const)('where the workflow ends it as %s', async (as) => {
    await startFollowing();
    expect(await close(follower, as)).toMatchObject({ status: as, ...nothing });
    expect(await fixShares()).toBe(1);
  });

  test('when its time is up or it is cancelled before the leader has an answer', async () => {
    const { outcome, control } = await startFollowing();
    control.stop('cancel');
    expect(await outcome).toMatchObject({ status: 'cancelled', ...nothing });
    expect(await fixShares()).toBe(1);
  });

  test('where its run is ended by hand', async () => {
    await startFollowing();
    expect(await endLog({ log, flightMembers: flights }, follower, { code: 'internal', message: 'x' })).toBe(
      true,
    );
    expect(await fixShares()).toBe(1);
  });

  test('where its leader fails after the shares were fixed', async () => {
    const { outcome } = await startFollowing();
    await fixShares();
    const error = { code: 'internal', message: 'x', doc: '' };
    await endLeader({ type: 'generation-error', error, attempts: 2, ...USED });
    expect(await outcome).toBe(null);
    expect(await lastOf(follower)).toEqual(expect.not.objectContaining({ share: expect.anything() }));
  });

  test('where another attempt of its leader, with the same epoch, ends the log and shares nothing', async () => {
    const { outcome } = await startFollowing();
    await fixShares();
    leaderLog = (await log.open(leader, EPOCH)).writer;
    await endLeader();
    expect(await outcome).toMatchObject({ status: 'completed', cached: true, ...nothing });
  });

  test('where the answer of its leader is deleted as it ends, and may be gone before it is copied', async () => {
    const { outcome } = await startFollowing();
    await log.erase(leader);
    expect(await fixShares()).toBe(1);
    await endLeader();
    // What has reached it by then, it has; without it, it continues alone.
    await outcome;
    expect(readRecord(await log.read(follower, -1))).toMatchObject(nothing);
  }, 40_000);

  test('where the cap of its leader was raised: it ends at its own cap', async () => {
    const { outcome } = await startFollowing();
    await leaderLog.write({ type: 'cap-raise', ...CANDIDATE, attempt: 1, maxOutputTokens: 9_000, ...USED });
    await leaderLog.flush();
    expect(await outcome).toMatchObject({ status: 'completed', finishReason: 'length', ...nothing });
    expect(await fixShares()).toBe(1);
  });
});

test('a follower is a member only once its own log has noted it, also where a process died between the two', async () => {
  const writer = await begin(follower);
  const joined = await flights.join(question(), follower, {
    askedAtMs: Date.now(),
    mayLead: true,
    acceptedFalseHits: 0.01,
  });
  if (joined.role !== 'follow') throw new Error('it follows');
  // Died before the note.
  expect(await fixShares()).toBe(1);
  const followed: Followed = { leader, flight: joined.flight, leaderSeq: -1 };
  await writer.write({ type: 'cache-join', leader, similarity: 1 }, followed);
  await writer.flush();
  // Died before it was counted; too late now, so it takes the answer as from the cache.
  const { outcome } = await follow(EPOCH + 1);
  await endLeader();
  expect(await outcome).toMatchObject({ status: 'completed', cached: true, ...nothing });
});

test('no process counts a follower before the note is in its log', async () => {
  const port = Number(new URL(server.url).port);
  const wire = await startTcpProxy(port);
  const slow = await connectRedis(`redis://${wire.address}`, () => undefined);
  const slowLog = new RedisEventLog(slow, { retentionMs: 3_600_000 });
  await create(follower);
  const opened = await slowLog.open(follower, EPOCH);
  const seen: boolean[] = [];
  const watched = withMethods(flights, {
    async enter(...ids) {
      seen.push((await log.read(follower, -1)).some(({ type }) => type === 'cache-join'));
      return flights.enter(...ids);
    },
  });
  wire.harm({ kind: 'delay', delayMs: 200 });
  const record = readRecord(opened.events);
  await findLeader(
    { cacheSettings, flights: watched },
    { step: stepOf(follower), log: opened, input: inputOf(), record },
  );
  expect(seen).toEqual([true]);
  slow.destroy();
  await wire.close();
});

test('what the leader voids is void for its followers, who stay members', async () => {
  const { outcome } = await startFollowing();
  await leaderLog.write({ type: 'text-reset', reason: 'Begun again.' });
  await say('Two');
  await fixShares();
  await endLeader();
  expect(await outcome).toMatchObject({ status: 'completed', ...paid });
  expect(textOf(await log.read(follower, -1))).toBe('Two');
});

test('a follower leaves a leader whose log lost what it has copied, and never joins the two texts', async () => {
  const { outcome } = await startFollowing();
  await say('Two ');
  await waitFor('it copies', async () => textOf(await log.read(follower, -1)) === 'One Two ');
  await loseTail(await server.connect(), leader);
  leaderLog = (await log.open(leader, EPOCH + 1)).writer;
  await say('Other ');
  await say('words.');
  expect(await outcome).toBe(null);
  expect(await lastOf(follower)).toMatchObject({ type: 'cache-leave', reason: 'lost' });
  expect(textOf(await log.read(follower, -1))).toBe('One Two ');
});
