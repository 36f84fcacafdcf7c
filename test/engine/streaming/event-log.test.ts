import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { LogPacker } from '../../../engine/streaming/log-packer.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { testEventLog } from './event-log-contract.ts';
import { creationOf, END, RETENTION_MS } from './log-stand.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

let server: TestRedis | undefined;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(async () => {
  await server?.stop();
});

async function connect() {
  if (server === undefined) throw new Error('Redis has not started');
  return server.connect();
}

testEventLog('Redis', async () => ({ redis: await connect(), stop: async () => undefined }));

test('an ended log is kept for the retention and no longer', async () => {
  const redis = await connect();
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
  const generationId = 'gen_kept';
  await log.create(creationOf(generationId));
  const { writer } = await log.open(generationId, 1);
  await writer.write(END);
  await writer.flush();
  for (const key of ['logMeta', 'logStream', 'logInput'] as const) {
    const leftMs = await redis.pTTL(REDIS_KEYS[key](generationId));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(RETENTION_MS);
  }
});

test('of two writers that hold one epoch the one that opened the log last writes, and no other append is taken for its own', async () => {
  const log = new RedisEventLog(await connect(), { retentionMs: RETENTION_MS });
  const generationId = 'gen_one_epoch';
  await log.create(creationOf(generationId));
  const first = (await log.open(generationId, 7)).writer;
  await first.write({ type: 'text-delta', text: 'a' }).then(() => first.flush());
  const second = (await log.open(generationId, 7)).writer;
  await second.write({ type: 'text-delta', text: 'b' }).then(() => second.flush());
  // By the numbers alone this append is the one that the second writer made.
  await first.write({ type: 'text-delta', text: 'c' });
  await expect(first.flush()).rejects.toMatchObject({ reason: 'fenced' });
  await second.write(END).then(() => second.flush());
  const texts = (await log.read(generationId, 0)).map((event) => ('text' in event ? event.text : event.type));
  expect(texts).toEqual(['a', 'b', 'generation-end']);
});

test('a log begins with nothing that has outlived an earlier one of its id', async () => {
  const redis = await connect();
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
  const generationId = 'gen_again';
  const [input, members] = [REDIS_KEYS.compressedInput(generationId), REDIS_KEYS.flightMembers(generationId)];
  await redis.set(input, '{"messages":[]}');
  await redis.hSet(members, 'member:gen_dead', '1');
  expect(await log.create(creationOf(generationId))).toMatchObject({ created: true });
  expect(await redis.exists([input, members])).toBe(0);
  // Sent again, it leaves what is of this log.
  await redis.hSet(members, 'member:gen_follower', '1');
  await log.create(creationOf(generationId));
  expect(await redis.exists(members)).toBe(1);
});

test('a log whose epoch is not the one that opened it is not written', async () => {
  const redis = await connect();
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
  await log.create(creationOf('gen_epoch'));
  const faulty = Object.assign(Object.create(redis), { evalSha: async () => ['open', '4'] });
  const opening = new RedisEventLog(faulty, { retentionMs: RETENTION_MS }).open('gen_epoch', 5);
  await expect(opening).rejects.toThrow('opened with epoch 5 and is in epoch 4');
});

test('a takeover whose commands were redirected one by one knows what was appended in between', async () => {
  const redis = await connect();
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS });
  await log.create(creationOf('gen_redirected'));
  const { writer } = await log.open('gen_redirected', 1);
  await writer.write({ type: 'text-delta', text: 'a' }).then(() => writer.flush());
  // As in a cluster while the slot moves: the events are read at the old place, and the fence and head at the new one.
  const early = await redis.xRange(REDIS_KEYS.logStream('gen_redirected'), '-', '+');
  const reads = [early];
  await writer.write({ type: 'text-delta', text: 'b' }).then(() => writer.flush());
  const redirected = Object.assign(Object.create(redis), {
    hGetAll: async (key: string) => {
      await redis.ping();
      return redis.hGetAll(key);
    },
    xRange: async (key: string) => reads.pop() ?? redis.xRange(key, '-', '+'),
  });
  const successor = new RedisEventLog(redirected, { retentionMs: RETENTION_MS });
  const { events, writer: next } = await successor.open('gen_redirected', 2);
  expect(events.map(({ seq }) => seq)).toEqual([0, 1, 2]);
  expect(next.nextSeq).toBe(3);
});

test('half a surrogate pair in a name is stored as the client stores it, and the log is created', async () => {
  const log = new RedisEventLog(await connect(), { retentionMs: RETENTION_MS });
  await log.create({ ...creationOf('gen_surrogate'), user: 'ann \ud83d' });
  expect(await log.head('gen_surrogate')).toMatchObject({ user: 'ann \ufffd' });
});

test('a packed log expires when the log would have, and takes less than an eighth of the memory', async () => {
  const redis = await connect();
  const errors: unknown[] = [];
  const packer = new LogPacker(redis, (error) => errors.push(error));
  const listener = packer.listener({
    appended: () => undefined,
    retried: () => undefined,
    refused: () => undefined,
  });
  const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS, listener });
  const generationId = 'gen_packed';
  const stream = REDIS_KEYS.logStream(generationId);
  await log.create(creationOf(generationId));
  const { writer } = await log.open(generationId, 1);
  for (let token = 0; token < 300; token += 1) {
    await writer.write({ type: 'text-delta', text: ` word${token}` });
    await writer.flush();
  }
  const before = await redis.memoryUsage(stream, { SAMPLES: 0 });
  await writer.write(END).then(() => writer.flush());
  await packer.idle();
  const leftMs = await redis.pTTL(stream);
  expect(leftMs).toBeGreaterThan(RETENTION_MS / 2);
  expect(leftMs).toBeLessThanOrEqual(RETENTION_MS);
  expect(await redis.memoryUsage(stream, { SAMPLES: 0 })).toBeLessThan((before ?? 0) / 8);
  expect(await log.read(generationId, 298)).toHaveLength(3);
  expect(errors).toEqual([]);
});
