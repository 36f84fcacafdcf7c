import { expect, test } from '@jest/globals';
import { statusAfterBudget } from '../../../api/relay/status-after-budget.ts';
import type { ViewerSink } from '../../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';

const at = 1;
const first: GenerationEvent = {
  seq: 0,
  at,
  type: 'generation-start',
  generationId: 'gen_1',
  route: 'default',
  user: 'ann',
};
const second: GenerationEvent = {
  seq: 1,
  at,
  type: 'provider-start',
  provider: 'p',
  model: 'm',
  attempt: 1,
  strategy: 'start',
};
const refusal: GenerationEvent = {
  seq: 1,
  at,
  type: 'generation-error',
  attempts: 0,
  usage: NO_USAGE,
  costMicroUsd: 0,
  error: { code: 'budget_exceeded', message: 'The budget is spent.', doc: 'doc' },
};

function sinkOf(runStarted: Promise<void>) {
  const sent: GenerationEvent[] = [];
  const started: GenerationEvent[][] = [];
  const plain: ViewerSink = {
    ready: () => true,
    whenReady: async () => true,
    heartbeat: () => undefined,
    coalesces: true,
    closeStalled: () => false,
    send: (events) => void sent.push(...events),
  };
  const sink = statusAfterBudget(plain, (events) => void started.push([...events]), runStarted);
  return { sink, sent, started };
}

test('nothing is sent before the run is started, and then every event in order', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { sink, sent, started } = sinkOf(promise);
  sink.send([first]);
  sink.send([second]);
  expect(started).toEqual([]);
  resolve();
  await promise;
  await Promise.resolve();
  expect(started).toEqual([[first, second]]);
  expect(sent).toEqual([first, second]);
});

test('a refusal before the run is started is thrown, and the later start does not start the stream', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { sink, sent, started } = sinkOf(promise);
  sink.send([first]);
  expect(() => sink.send([refusal])).toThrow(expect.objectContaining({ code: 'budget_exceeded' }));
  resolve();
  await promise;
  await Promise.resolve();
  expect(started).toEqual([]);
  expect(sent).toEqual([]);
});
