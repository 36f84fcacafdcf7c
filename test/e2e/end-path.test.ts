/**
 * The way of a run from the end of its answer to its own end, with each service hanging on that way: connections that
 * pass nothing and give no error. Afterwards nothing may stay open for longer than a minute.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import type { WireFault } from '../harness/tcp-proxy.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { pause, waitFor } from '../harness/wait-for.ts';
import { buildStage, type Stage, type Wire } from '../prove/matrix/stage.ts';

/** The minute of docs/crash-matrix.md, and half of one for a machine that is busy with other work. */
const OPEN_FOR_MS = 90_000;
/** For longer than any of its calls may take. */
const AWAY_MS = 8_000;
const DROP: WireFault = { kind: 'drop' };
const HANG: WireFault = { kind: 'hang' };

let stage: Stage;
let connection: Connection;
beforeAll(async () => {
  stage = await buildStage(
    (sharedProvider) => ({
      cache: { embedder: 'openai' },
      providers: {
        openai: { wire: 'openai-responses', baseUrl: `${sharedProvider}/v1`, apiKeyEnv: 'OPENAI_API_KEY' },
      },
    }),
    { env: { OPENAI_API_KEY: 'sk-simulated' } },
  );
  connection = await Connection.connect({ address: stage.direct.TEMPORAL_ADDRESS });
});
afterEach(() => {
  for (const wire of stage.wires) wire.mend();
});
afterAll(async () => {
  await connection?.close();
  await stage?.stop();
});

function wiresTo(service: string): Wire[] {
  return stage.wires.filter(({ name }) => name.startsWith('worker') && name.endsWith(` - ${service}`));
}

/** The wire by which all processes reach the embedding model; answers come by others. */
function wiresToEmbedder(): Wire[] {
  return stage.wires.filter(({ name }) => name === 'all - provider');
}

async function begin() {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const input = promptOf({ tokens: 60, delayMs: 20 });
  const body = await api.submit({ input, cache: 'write', model: 'simulated/sim-large' });
  const reading = startReading(api, body.id);
  await reading.deltas(3);
  const run = new Client({ connection }).workflow.getHandle(workflowId('dev', body.id));
  const isClosed = async () => (await run.describe()).status.name === 'COMPLETED';
  return { reading, isClosed: () => waitFor('the end of the run', isClosed, OPEN_FOR_MS) };
}

test.each([
  ['Qdrant', () => wiresTo('qdrant')],
  ['the embedding model', wiresToEmbedder],
] as const)('a run ends while %s does not answer', async (_, wires) => {
  const { reading, isClosed } = await begin();
  for (const wire of wires()) wire.harm(DROP);
  expect(faultsOf(await reading.whole)).toEqual([]);
  await isClosed();
});

test.each(['redis', 'temporal'])('a run ends after %s was silent on its way to the end', async (service) => {
  const { reading, isClosed } = await begin();
  for (const wire of wiresTo(service)) wire.harm(DROP);
  await pause(AWAY_MS);
  for (const wire of wiresTo(service)) wire.mend();
  expect(faultsOf(await reading.whole)).toEqual([]);
  await isClosed();
});

test.each(['redis', 'qdrant', 'temporal'])(
  'a run ends though every open connection to %s hangs for good',
  async (service) => {
    const { reading, isClosed } = await begin();
    for (const wire of wiresTo(service)) wire.harm(HANG);
    await isClosed();
    expect(faultsOf(await reading.whole)).toEqual([]);
  },
);

test('a run ends though the connections to Redis hang in the moment in which its answer has ended', async () => {
  const { reading, isClosed } = await begin();
  await reading.whole;
  for (const wire of wiresTo('redis')) wire.harm(HANG);
  await isClosed();
});
