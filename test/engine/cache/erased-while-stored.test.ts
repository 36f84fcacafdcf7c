/** An answer that its owner deletes while it is being stored for others: the deletion wins, whichever process dies. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { storeAnswer } from '../../../activities/store-answer.ts';
import { eraseGeneration } from '../../../api/generations/erase-generation.ts';
import type { EventBody } from '../../../contracts/events.ts';
import type { GenerationOrder } from '../../../contracts/generation.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { AnswerToStore } from '../../../engine/cache/answer-cache.ts';
import { createQdrantDeletion } from '../../../engine/cache/qdrant-deletion.ts';
import { SemanticAnswerCache } from '../../../engine/cache/semantic-answer-cache.ts';
import type { EventLog } from '../../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { withMethods } from '../../../platform/with-methods.ts';
import { PATIENT_MS } from '../../harness/patience.ts';
import { createRandom } from '../../harness/random.ts';
import { FIRST, orderOf, outcomeWith } from '../../workflows/workflow-environment.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';
import {
  answer,
  answersAt,
  COLLECTION,
  cacheAt,
  question,
  startTestQdrant,
  type TestQdrant,
} from './cache-fixture.ts';
import { Turns } from './turns.ts';

const END: EventBody = {
  type: 'generation-end',
  ...FIRST,
  finishReason: 'stop',
  cached: false,
  attempts: 1,
  usage: NO_USAGE,
  costMicroUsd: 3,
};

let redis: TestRedis;
let qdrant: TestQdrant;
let log: EventLog;
beforeAll(async () => {
  [redis, qdrant] = await Promise.all([startTestRedis(), startTestQdrant()]);
  log = new RedisEventLog(await redis.connect(), { retentionMs: 600_000 });
});
afterEach(() => qdrant.raw.deleteCollection(COLLECTION));
afterAll(async () => {
  await Promise.all([redis?.stop(), qdrant?.stop()]);
});

const answersOf = () => answersAt(qdrant.url, 5_000);
const deletion = () => createQdrantDeletion({ url: qdrant.url, deleteMs: PATIENT_MS });

/** What Qdrant holds of all answers. */
async function kept(): Promise<string> {
  if (!(await qdrant.raw.collectionExists(COLLECTION)).exists) return '';
  return JSON.stringify(await qdrant.raw.scroll(COLLECTION, { limit: 1_000, with_payload: true }));
}

const textOf = ({ generationId }: GenerationOrder) => `The secret of ${generationId}.`;

/** A generation with its text, whose end is still to come. */
async function newGeneration(): Promise<GenerationOrder> {
  const order = orderOf({ cache: 'write' });
  const { generationId, tenant, user, route } = order;
  const input = {
    messages: [{ role: 'user', content: `What is ${generationId}?` }],
    maxOutputTokens: 100,
  } as const;
  await log.create({ generationId, tenant, user, route, requestHash: 'hash', metadata: {}, input });
  await log.appendOnce(generationId, 'text', [
    { type: 'provider-start', ...FIRST, attempt: 1, strategy: 'start' },
    { type: 'text-delta', text: textOf(order) },
  ]);
  return order;
}

type Ports = { log: EventLog; answers: ReturnType<typeof answersOf> };

/** The step of a worker that stores the answer. */
function store(order: GenerationOrder, ports: Ports): Promise<void> {
  const cache = new SemanticAnswerCache({
    answers: ports.answers,
    embedder: null,
    judge: null,
    complaints: { of: async () => new Map() },
    timeoutMs: 5_000,
    verifier: {
      signatureOf: async () => '',
      compare: async () => [],
      warmUp: async () => undefined,
      close: async () => undefined,
    },
  });
  const settings = {
    acceptedFalseHits: 0.01,
    ttlMs: 600_000,
    judge: false,
    singleFlight: false,
    share: 'tenant',
  };
  const dependencies = { cache, log: ports.log, cacheSettings: () => settings, flights: {} };
  const step = { order, outcome: outcomeWith() };
  return storeAnswer(dependencies as unknown as Parameters<typeof storeAnswer>[0])(step);
}

/** What a request to delete does; one who hears that there is no such generation takes it for deleted. */
async function erase({ generationId }: GenerationOrder, ports: Parameters<typeof eraseGeneration>[0]) {
  const head = await ports.log.head(generationId);
  if (head !== null && !head.erased) await eraseGeneration(ports, head);
  return 'deleted';
}

test('an answer is gone from the cache when its deletion has lost its last reply, and the process that stored it has died', async () => {
  const order = await newGeneration();
  const { generationId } = order;
  await log.appendOnce(generationId, 'end', [END]);
  const before = await log.head(generationId);
  if (before === null) throw new Error('no log');
  const dead = withMethods(log, { head: () => Promise.reject(new Error('the process died')) });
  await store(order, { log: dead, answers: answersOf() }).catch(() => undefined);
  expect(await kept()).toContain(textOf(order));
  const silent = withMethods(log, {
    erase: async (id) => {
      await log.erase(id);
      throw new Error('nobody answered');
    },
  });
  const ports = { log: silent, cachedAnswers: deletion() };
  await expect(eraseGeneration(ports, before)).rejects.toThrow('nobody answered');
  expect(await erase(order, { log, cachedAnswers: deletion() })).toBe('deleted');
  await store(order, { log, answers: answersOf() });
  expect(await kept()).not.toContain(textOf(order));
});

describe('a text is not written', () => {
  const toStore = (
    mayStore: AnswerToStore['mayStore'],
    more: Partial<AnswerToStore> = {},
  ): AnswerToStore => ({
    ...answer,
    ...more,
    mayStore,
  });
  const tenant = question.tenant;
  const { generationId } = answer;

  test.each([
    ['generation', { tenant, generationId }],
    ['user', { tenant, user: answer.user }],
    ['tenant', { tenant }],
  ])('after all stored answers of its %s were deleted while it was being stored', async (_, entries) => {
    const cache = cacheAt(qdrant.url, 5_000);
    const deleted = toStore(async () => {
      await deletion().delete(entries);
      return true;
    });
    await cache.store(question, deleted);
    expect(await kept()).not.toContain('Open the settings.');
    expect(await cache.lookUp(question, { acceptedFalseHits: 0.01, maxAgeMs: null, judge: false })).toEqual({
      outcome: 'miss',
    });
  });

  test('into the place that a later attempt has made', async () => {
    const [older, later] = [cacheAt(qdrant.url, 5_000), cacheAt(qdrant.url, 5_000)];
    const paused = { ask: Promise.withResolvers<void>(), go: Promise.withResolvers<boolean>() };
    const stored = older.store(
      question,
      toStore(() => {
        paused.ask.resolve();
        return paused.go.promise;
      }),
    );
    await Promise.race([paused.ask.promise, stored]);
    await deletion().delete({ tenant, generationId });
    await later.store(
      question,
      toStore(async () => {
        paused.go.resolve(true);
        await stored;
        return false;
      }),
    );
    expect(await kept()).not.toContain('Open the settings.');
  });

  test('that must not be stored is not, and an entry of another generation stays', async () => {
    const cache = cacheAt(qdrant.url, 5_000);
    const refused = await cache.store(
      question,
      toStore(async () => {
        await cache.store(
          question,
          toStore(async () => true, { generationId: 'gen_2', text: 'Another.' }),
        );
        return false;
      }),
    );
    expect(refused).toBe(false);
    expect(await kept()).toContain('Another.');
    expect(await kept()).not.toContain('Open the settings.');
  });
});

describe('whichever process dies and whichever call is late', () => {
  const SEEDS = 150;

  test('an answer whose deletion was confirmed is in the cache no more', async () => {
    const faults: string[] = [];
    let confirmed = 0;
    let taken = 0;
    const answers = answersOf();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = createRandom(seed);
      const turns = new Turns();
      const order = await newGeneration();
      const end = () => log.appendOnce(order.generationId, 'end', [END]);
      const isEnded = random.between(0, 3) > 0;
      if (isEnded) await end();
      const cachedAnswers = {
        delete: async (entries: Parameters<ReturnType<typeof deletion>['delete']>[0]) => {
          const count = await deletion().delete(entries);
          taken += count;
          return count;
        },
      };
      const storing = () =>
        turns.process(3, (wrap) => store(order, { log: wrap(log), answers: wrap(answers) }));
      const stores = isEnded ? [storing(), storing()] : [end().then(storing), end().then(storing)];
      const erasing = turns.process(8, (wrap) =>
        erase(order, { log: wrap(log), cachedAnswers: wrap(cachedAnswers) }),
      );
      await turns.play(random);
      if ((await erasing) === null) continue;
      await Promise.all(stores);
      confirmed += 1;
      if ((await kept()).includes(textOf(order))) faults.push(`seed ${seed}: ${turns.told.join(', ')}`);
    }
    expect(faults).toEqual([]);
    // Else it would not be said of much.
    expect(confirmed).toBeGreaterThan(SEEDS / 2);
    expect(taken).toBeGreaterThan(0);
  });
});
