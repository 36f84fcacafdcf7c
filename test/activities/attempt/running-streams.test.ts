import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { RunningStreams, type StreamControl } from '../../../activities/attempt/running-streams.ts';
import type { GenerationOutcome, StreamStep } from '../../../contracts/steps.ts';
import { orderOf, outcomeWith, RESERVATION } from '../../workflows/workflow-environment.ts';

const step: StreamStep = {
  order: orderOf(),
  candidate: { provider: 'sim', model: 'm' },
  ...RESERVATION,
};
const NEVER = new Promise<GenerationOutcome>(() => undefined);

function counted(outcome: Promise<GenerationOutcome>) {
  const run = (control: StreamControl) => {
    run.times += 1;
    run.control = control;
    return outcome;
  };
  run.times = 0;
  run.control = null as StreamControl | null;
  return run;
}

test('a running stream is joined, not started again', () => {
  const streams = new RunningStreams();
  const run = counted(NEVER);
  expect(streams.joinOrStart(step, 1, run)).toBe(streams.joinOrStart(step, 2, run));
  expect(run.times).toBe(1);
});

test('another candidate of the same generation is another stream', () => {
  const streams = new RunningStreams();
  const run = counted(NEVER);
  streams.joinOrStart(step, 1, run);
  streams.joinOrStart({ ...step, candidate: { provider: 'sim', model: 'other' } }, 2, run);
  expect(run.times).toBe(2);
});

test('a stream that ended before it was adopted gives its outcome to the adopter, once', async () => {
  const streams = new RunningStreams();
  const run = counted(Promise.resolve(outcomeWith()));
  await streams.joinOrStart(step, 1, run).outcome;
  const adopted = streams.joinOrStart(step, 2, run);
  streams.claim(step);
  expect(await adopted.outcome).toEqual(outcomeWith());
  expect(run.times).toBe(1);
  streams.joinOrStart(step, 3, run);
  expect(run.times).toBe(2);
});

test('the attempt after a claimed and failed one starts a new stream', async () => {
  const streams = new RunningStreams();
  const run = counted(Promise.reject(new Error('cut')));
  const first = streams.joinOrStart(step, 1, run);
  streams.claim(step);
  await expect(first.outcome).rejects.toThrow('cut');
  const second = streams.joinOrStart(step, 2, run);
  expect(run.times).toBe(2);
  await expect(second.outcome).rejects.toThrow('cut');
});

test('the first reason to stop is the one that counts', () => {
  const streams = new RunningStreams();
  const run = counted(NEVER);
  const stream = streams.joinOrStart(step, 1, run);
  stream.stop('cancel');
  stream.stop('leave');
  expect(run.control?.stopped()).toBe('cancel');
  expect(run.control?.signal.aborted).toBe(true);
});

test('only streams that still run are counted', async () => {
  const streams = new RunningStreams();
  const ended = counted(Promise.resolve(outcomeWith()));
  await streams.joinOrStart({ ...step, order: { ...step.order, generationId: 'ended' } }, 1, ended).outcome;
  streams.joinOrStart(step, 1, counted(NEVER));
  expect(streams.count()).toBe(1);
});

test('a worker that leaves waits until its activities have adopted what runs, and no longer', async () => {
  const streams = new RunningStreams();
  streams.joinOrStart(step, 1, counted(NEVER));
  let hasLeft = false;
  const left = streams.leave(60_000).then(() => {
    hasLeft = true;
  });
  expect(streams.leaving.aborted).toBe(true);
  await setImmediate();
  expect(hasLeft).toBe(false);
  streams.claim(step);
  await left;
  await new RunningStreams().leave(60_000);
});

test('a worker that leaves does not wait for ever', async () => {
  const streams = new RunningStreams();
  streams.joinOrStart(step, 1, counted(NEVER));
  await streams.leave(1);
});
