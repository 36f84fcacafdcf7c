import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '../../../api/access/api-keys.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import type { PreparedGeneration } from '../../../api/generations/build-order.ts';
import { generationIdFor } from '../../../api/generations/generation-id.ts';
import { startGeneration } from '../../../api/generations/start-generation.ts';
import { submitGeneration } from '../../../api/generations/submit-generation.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { OfferedRun } from '../../../engine/handoff/handoff.ts';
import type { EventLog, LogHead } from '../../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { withMethods } from '../../../platform/with-methods.ts';
import { creationOf } from '../../engine/streaming/log-stand.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

test('a key whose ended log expires between look-up and creation starts a new generation', async () => {
  const log = new RedisEventLog(await server.connect(), { retentionMs: 60_000 });
  const creation = creationOf('gen_expires');
  const offered: OfferedRun[] = [];
  const offer = async (run: OfferedRun) => offered.push(run) > 0;
  const dependencies = {
    log,
    handoff: { offer },
    config: { limits: { generationMs: 1_000 }, http: { bodyBytes: 1_000_000 } },
    logger: { info: () => undefined },
  } as unknown as ApiDependencies;
  const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key', scopes: [] };
  const ended = { status: 'completed', createdAt: 1, erased: false };
  const prepared = {
    ...creation,
    known: ended,
    isUnique: false,
    cache: 'off',
    chosen: { candidates: [], plan: undefined },
  } as unknown as PreparedGeneration;
  const submit = async (known: object) =>
    (await startGeneration(dependencies, caller, { ...prepared, known } as PreparedGeneration)).started;
  await submit(ended);
  const head = await log.head('gen_expires');
  expect(offered).toMatchObject([
    { order: { generationId: 'gen_expires', logCreatedAtMs: head?.createdAt } },
  ]);
  // The existing log has ended, so nothing is started.
  await submit({ ...head, status: 'completed' });
  expect(offered).toHaveLength(1);
});

test('a unique id with an earlier log fails that one request', async () => {
  const prepared = { isUnique: true, known: creationOf('gen_unique') } as unknown as PreparedGeneration;
  const start = startGeneration({} as ApiDependencies, {} as Caller, prepared);
  await expect(start).rejects.toThrow('a unique id has no earlier log');
});

test('a key whose model has left the config leaves no log without an end', async () => {
  const log = new RedisEventLog(await server.connect(), { retentionMs: 60_000 });
  const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key', scopes: [] } as unknown as Caller;
  const generationId = generationIdFor(caller, 'key');
  const gone = new UnbrokenError('model_not_found', 'It is gone.');
  const known = { ...creationOf(generationId), status: 'completed', createdAt: 1, erased: false };
  const dependencies = {
    // Only the first look-up finds the earlier log.
    log: withMethods(log as EventLog, {
      known: once(
        async (_id: string) => known as unknown as LogHead,
        (id) => log.known(id),
      ),
      readInput: async () => known.input,
    }),
    routes: {
      choose: () => {
        throw gone;
      },
    },
  } as unknown as ApiDependencies;
  const submission = { request: { input: 'Go.' }, idempotencyKey: 'key' };
  await expect(submitGeneration(dependencies, caller, submission)).rejects.toBe(gone);
  expect(await log.head(generationId)).toMatchObject({ status: 'failed' });
});

/** Answers the first call with `first`, all later calls with `later`. */
function once<Args extends unknown[], First, Later>(
  first: (...args: Args) => Promise<First>,
  later: (...args: Args) => Promise<Later>,
) {
  let isFirst = true;
  return (...args: Args): Promise<First | Later> => {
    const answer = isFirst ? first : later;
    isFirst = false;
    return answer(...args);
  };
}
