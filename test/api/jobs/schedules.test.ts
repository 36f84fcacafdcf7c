/** Schedules between Redis and Temporal: what is kept where the answer of one of them is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Caller } from '../../../api/access/api-keys.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { createSchedule, deleteSchedule, scheduleViews } from '../../../api/jobs/schedules.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { scheduleRequestSchema } from '../../../contracts/schedules.ts';
import { RedisScheduleStore } from '../../../engine/jobs/schedule-store.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

const caller = {
  tenant: 'acme',
  user: 'ann',
  team: null,
  keyId: 'key',
  scopes: ['generate'],
} as unknown as Caller;
const request = scheduleRequestSchema.parse({
  times: { everyMs: 3_600_000 },
  generation: { input: 'The morning.', maxOutputTokens: 9 },
});

/** @param schedule what Temporal's client does */
async function around(schedule: object) {
  const stored = { bytes: 0 };
  const dependencies = {
    config: { ...configSchema.parse({}), temporal: { taskQueue: 'queue' } },
    schedules: new RedisScheduleStore(await server.connect()),
    stored: {
      takePrompt: async (_: string, bytes: number) => {
        stored.bytes += bytes;
      },
      dropPrompt: async (_: string, bytes: number) => {
        stored.bytes -= bytes;
      },
    },
    routes: { choose: () => ({}) },
    temporal: { connection: { withDeadline: (_: number, ask: () => unknown) => ask() }, schedule },
  } as unknown as ApiDependencies;
  return { dependencies, stored };
}

test('a schedule that Temporal has created, and whose answer was lost, keeps what its ticks start', async () => {
  const created = new Set<string>();
  const { dependencies, stored } = await around({
    create: async ({ scheduleId }: { scheduleId: string }) => {
      if (created.has(scheduleId)) throw new ScheduleAlreadyRunning('It exists.', scheduleId);
      created.add(scheduleId);
      throw new Error('The connection broke.');
    },
  });
  const create = () => createSchedule(dependencies, caller, request, 'morning');
  await expect(create()).rejects.toMatchObject({ code: 'service_unavailable' });
  const [listed] = await dependencies.schedules.list('acme');
  expect(listed?.request).toMatchObject({ generation: { input: 'The morning.' } });
  const { bytes } = stored;
  // A client repeats its request.
  expect((await create()).scheduleId).toBe(listed?.scheduleId);
  expect([created.size, stored.bytes]).toEqual([1, bytes]);
});

test('a schedule that Temporal refuses is not kept', async () => {
  const { dependencies, stored } = await around({
    create: async () => {
      throw new TypeError('no such cron line');
    },
  });
  const refused = createSchedule(dependencies, { ...caller, tenant: 'refused' }, request, undefined);
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await dependencies.schedules.list('refused')).toEqual([]);
  expect(stored.bytes).toBe(0);
});

test('the list leaves out a schedule that Temporal does not have', async () => {
  let missing = '';
  const described = { state: { paused: false }, info: { nextActionTimes: [], recentActions: [] } };
  const { dependencies } = await around({
    create: async () => undefined,
    getHandle: (id: string) => ({
      describe: async () => {
        if (id.endsWith(missing)) throw new ScheduleNotFoundError('It is gone.', id);
        return described;
      },
    }),
  });
  const own = { ...caller, tenant: 'lists' };
  const [gone, kept] = [
    await createSchedule(dependencies, own, request, 'gone'),
    await createSchedule(dependencies, own, request, 'kept'),
  ];
  missing = gone.scheduleId;
  const views = await scheduleViews(dependencies, await dependencies.schedules.list('lists'));
  expect(views.map(({ id }) => id)).toEqual([kept.scheduleId]);
});

test('what a tenant with the most schedules is refused counts as nothing, and a repeated request is answered', async () => {
  const description = { info: { nextActionTimes: [new Date()] }, state: { paused: false } };
  const { dependencies, stored } = await around({
    create: async () => undefined,
    getHandle: () => ({ describe: async () => description }),
  });
  const own = { ...caller, tenant: 'full' };
  const { scheduleId } = await createSchedule(dependencies, own, request, 'first');
  const redis = await server.connect();
  const others = Array.from({ length: LIMITS.schedulesPerTenant - 1 }, (_, number) => `sched_${number}`);
  await redis.sAdd(REDIS_KEYS.schedulesOf('full'), others);
  const { bytes } = stored;
  const refused = createSchedule(dependencies, own, request, undefined);
  await expect(refused).rejects.toThrow('A tenant has at most 1000 schedules');
  expect((await createSchedule(dependencies, own, request, 'first')).scheduleId).toBe(scheduleId);
  expect(stored.bytes).toBe(bytes);
});

test('a schedule that is deleted twice at once gives back what it counts as once', async () => {
  const { dependencies, stored } = await around({
    create: async () => undefined,
    getHandle: () => ({
      describe: async () => ({ info: { nextActionTimes: [new Date()] } }),
      delete: async () => undefined,
    }),
  });
  const schedule = await createSchedule(dependencies, { ...caller, tenant: 'twice' }, request, undefined);
  await Promise.all([deleteSchedule(dependencies, schedule), deleteSchedule(dependencies, schedule)]);
  expect(stored.bytes).toBe(0);
});

test('a list asks Temporal about a few at a time: those that wait for others would find it silent', async () => {
  let open = 0;
  let most = 0;
  const describe = async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise(setImmediate);
    open -= 1;
    return { state: { paused: false }, info: { nextActionTimes: [], recentActions: [] } };
  };
  const { dependencies } = await around({ getHandle: () => ({ describe }) });
  const { tenant, user } = caller;
  const schedules = Array.from({ length: LIMITS.schedulesPerTenant }, (_, number) => ({
    scheduleId: `sched_${number}`,
    owner: { tenant, user, team: null, keyId: 'key', scopes: [] },
    request,
    requestHash: '',
    createdAt: number,
  }));
  const views = await scheduleViews(dependencies, schedules);
  expect(views.map(({ id }) => id)).toEqual(schedules.map(({ scheduleId }) => scheduleId));
  expect(most).toBeLessThanOrEqual(64);
});
