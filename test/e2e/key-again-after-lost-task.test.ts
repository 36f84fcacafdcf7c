/**
 * A worker whose workflow task was lost streams on, and no activity comes to adopt that stream. It remembers the stream
 * for a while, and here the log is past its retention sooner.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { withRedis } from '../prove/matrix/logs.ts';
import { buildStage, type Stage } from '../prove/matrix/stage.ts';

let stage: Stage;
let connection: Connection;
beforeAll(async () => {
  stage = await buildStage({ retention: { logMs: 1_000 } });
  connection = await Connection.connect({ address: stage.direct.TEMPORAL_ADDRESS });
});
afterAll(async () => {
  await connection?.close();
  await stage?.stop();
});

test('the key sent again after the retention is answered by its own call', async () => {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const temporal = new Client({ connection });
  await stage.seats.worker[1]?.kill();
  const input = promptOf({ tokens: 150, delayMs: 10 });
  const expected = await stage.sim.text(input);
  const request = { input, cache: 'off', model: 'simulated/sim-large' } as const;
  const { body } = await api.create(request, 'again');
  const { id } = body;
  const run = temporal.workflow.getHandle(workflowId('dev', id));
  const reading = startReading(api, id);
  await reading.deltas(3);
  const wires = stage.wires.filter(({ name }) => name === 'worker 0 - temporal');
  for (const wire of wires) wire.harm({ kind: 'drop' });
  await waitFor('the workflow task to be lost', async () =>
    (await run.fetchHistory()).events?.some((event) => event.workflowTaskTimedOutEventAttributes),
  );
  for (const wire of wires) wire.mend();
  expect(textOf(await reading.whole)).toBe(expected.text);
  await run.result();
  await waitFor('the log is past its retention', () =>
    withRedis(stage.direct.REDIS_URL, async (redis) => (await redis.keys(`ub:log:{${id}}:*`)).length === 0),
  );
  expect((await api.create(request, 'again')).body.id).toBe(id);
  const isCalled = async () => (await stage.sim.calls()).length === 2;
  // Far more than it takes: the run that is given the old outcome has ended long before.
  await waitFor('the second call', isCalled, 20_000);
  const events = await startReading(api, id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
});
