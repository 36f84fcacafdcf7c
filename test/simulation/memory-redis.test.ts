import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody } from '../../contracts/events.ts';
import { type EventLog, LogRefused, type LogWriter } from '../../engine/streaming/event-log.ts';
import { LogPacker, type PackRedis } from '../../engine/streaming/log-packer.ts';
import { type LogRedis, RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { testEventLog } from '../engine/streaming/event-log-contract.ts';
import { creationOf, END } from '../engine/streaming/log-stand.ts';
import { startTestRedis, type TestRedis } from '../engine/streaming/redis-server.ts';
import { chooseSeed, createRandom, type Random } from '../harness/random.ts';
import { MemoryRedis } from './memory-redis.ts';

testEventLog('memory', async () => ({ redis: new MemoryRedis(), stop: async () => undefined }));

let server: TestRedis | undefined;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(async () => {
  await server?.stop();
});

describe('the memory that stands in for Redis', () => {
  test('answers every command as Redis does, in any order of commands', async () => {
    const seed = chooseSeed();
    const redis = await server?.connect();
    if (redis === undefined) throw new Error('Redis has not started');
    for (let run = 0; run < 150; run += 1) {
      const name = `gen_${seed}_${run}`;
      const [real, simulated] = await Promise.all([
        answersTo(redis, name, createRandom(seed + run)),
        answersTo(new MemoryRedis(), name, createRandom(seed + run)),
      ]);
      expect({ seed, run, answers: simulated }).toEqual({ seed, run, answers: real });
    }
  });
});

/** What a row of commands that the seed chooses is answered, without the times. */
async function answersTo(
  redis: LogRedis & PackRedis,
  generationId: string,
  random: Random,
): Promise<unknown[]> {
  // Without frames: which events share a batch must not depend on how fast each of the two is.
  const log = new RedisEventLog(redis, { retentionMs: 60_000, frameMs: 0 });
  const writers: LogWriter[] = [];
  const answers: unknown[] = [];
  const packer = new LogPacker(redis, () => undefined);
  for (let step = 0; step < 25; step += 1) {
    if (random.between(0, 12) === 0) answers.push(await packer.pack(generationId));
    const answer = await command(log, writers, generationId, random).catch((error: unknown) =>
      error instanceof LogRefused ? error.reason : `odd: ${String(error)}`,
    );
    answers.push(withoutTimes(answer));
  }
  answers.push(withoutTimes(await log.head(generationId)), withoutTimes(await log.read(generationId, -1)));
  return answers;
}

async function command(
  log: EventLog,
  writers: LogWriter[],
  generationId: string,
  random: Random,
): Promise<unknown> {
  const epoch = random.between(1, 4);
  const writer = writers[random.between(0, writers.length - 1)];
  const events = eventsOf(random);
  const step = `step_${random.between(0, 2)}`;
  const after = random.between(-1, 12);
  const entries = random.between(1, 3);
  const chosen = random.between(0, 16);
  if (chosen <= 1) return log.create(creationOf(generationId, `hash_${epoch}`));
  if (chosen <= 3) {
    const opened = await log.open(generationId, random.between(0, 3) === 0 ? 'newest' : epoch);
    writers.push(opened.writer);
    return [opened.head, opened.events];
  }
  if (chosen === 4) {
    const opened = await log.openFresh(generationId, epoch, events);
    if (opened !== null) writers.push(opened);
    return opened?.nextSeq ?? null;
  }
  if (chosen === 5) return log.appendOnce(generationId, step, events);
  if (chosen === 6) {
    return log.appendOnce(
      generationId,
      step,
      events,
      random.between(0, 1) === 0 ? 'unopened' : 'uncancelled',
    );
  }
  if (chosen === 7) return log.requestCancel(generationId);
  if (chosen === 8) return log.read(generationId, after, entries);
  if (chosen === 9) return log.readInput(generationId);
  if (chosen === 10) return log.erase(generationId);
  if (chosen === 11) return log.markStored(generationId);
  if (chosen === 12) return log.withhold(generationId);
  if (writer === undefined) return null;
  const isOver = random.between(0, 30) === 0;
  for (const event of isOver ? [END] : events) void writer.write(event, { covers: after });
  await writer.flush();
  return writer.nextSeq;
}

function eventsOf(random: Random): EventBody[] {
  return Array.from({ length: random.between(1, 3) }, (_, index) => ({
    type: 'text-delta' as const,
    text: `${index}é`,
  }));
}

/** Two clocks never agree. */
function withoutTimes(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer ?? null, (name, value: unknown) =>
      name === 'at' || name === 'createdAt' || name === 'endedAt' ? typeof value : value,
    ),
  );
}
