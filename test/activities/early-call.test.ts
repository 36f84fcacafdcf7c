/** A call that leaves before its run is known to be ours must be one that another worker can resume. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { RunningStreams } from '../../activities/attempt/running-streams.ts';
import { BegunGenerations } from '../../activities/begin-generation.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { adapterFor, simulatedConfig } from '../engine/providers/adapter-for.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type AttemptStand, startAttemptStand } from './attempt/attempt-stand.ts';

const WIRE = 'openai-responses';
const messages = [{ role: 'user', content: 'Go. [[sim tokens=5]]' }] as const;
let stand: AttemptStand;
let dependencies: Dependencies;
beforeAll(async () => {
  stand = await startAttemptStand([WIRE]);
  const config = { ...simulatedConfig(WIRE, stand.sim.url), chatCompletions: true };
  dependencies = {
    ...stand.dependencies,
    compression: { compressOnce: async () => null, read: async () => null },
    providers: new Map([[WIRE, adapterFor(WIRE, config)]]),
  };
});
afterAll(() => stand?.stop());
beforeEach(() => stand.sim.forget());

/** Begins a generation ahead of its run, which `decide` says whose it is. */
async function beginEarly(more: Partial<GenerationInput>) {
  const { order } = await stand.begin(WIRE, { messages, ...more });
  const input = await dependencies.log.readInput(order.generationId);
  if (input === null) throw new Error('the input is not stored');
  const { promise: runIsOurs, resolve } = Promise.withResolvers<boolean>();
  const worker = new BegunGenerations(dependencies, new RunningStreams());
  worker.beginEarly({ order, input, runIsOurs, isLikelyOurs: true });
  const isEnded = async () => (await dependencies.log.head(order.generationId))?.status === 'completed';
  return { decide: resolve, end: () => waitFor('the end', isEnded) };
}

const calls = () => stand.sim.calls();

test('one that can be reattached to leaves at once', async () => {
  const { decide, end } = await beginEarly({});
  await waitFor('the call', async () => (await calls()).length === 1);
  expect(await calls()).toMatchObject([{ wire: 'openai' }]);
  decide(true);
  await end();
});

test('one that the same provider takes in chat completions only waits, and is not made if another worker gets the run', async () => {
  const lost = await beginEarly({ stop: ['END'] });
  const own = await beginEarly({ stop: ['END'] });
  own.decide(true);
  await own.end();
  lost.decide(false);
  expect(await calls()).toMatchObject([{ wire: 'openai-chat' }]);
});
