import { expect, test } from '@jest/globals';
import { holdStatus } from '../../../api/relay/hold-status.ts';
import type { ViewerSink } from '../../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { waitFor } from '../../harness/wait-for.ts';

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

const third: GenerationEvent = { seq: 2, at, type: 'text-delta', text: 'a' };
const failure: GenerationEvent = {
  ...refusal,
  seq: 2,
  error: {
    code: 'provider_rate_limited',
    message: 'Too many.',
    doc: 'doc',
    details: { retryAtMs: Date.now() + 60_000 },
  },
};

interface Hold {
  readonly limitMs?: number;
  readonly streamedRefusals?: ReadonlySet<string>;
}

function sinkOf(runStarted: Promise<void>, { limitMs = 60_000, streamedRefusals }: Hold = {}) {
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
  const closed = new AbortController();
  const sink = holdStatus(plain, {
    start: (events) => void started.push([...events]),
    limitMs,
    closed: closed.signal,
    runStarted,
    streamedRefusals,
  });
  return { sink, sent, started, closed };
}

test('nothing is sent before the run is started, and then every event in order', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { sink, sent, started } = sinkOf(promise);
  sink.send([first]);
  sink.send([second, third]);
  expect(started).toEqual([]);
  resolve();
  await promise;
  await Promise.resolve();
  expect(started).toEqual([[first, second, third]]);
  expect(sent).toEqual([first, second, third]);
});

test('nothing is sent before content, and an error before it is thrown with its wait', async () => {
  const { sink, sent, started } = sinkOf(Promise.resolve());
  await Promise.resolve();
  sink.send([first, second]);
  expect(started).toEqual([]);
  expect(() => sink.send([failure])).toThrow(
    expect.objectContaining({ code: 'provider_rate_limited', retryAfterMs: expect.any(Number) }),
  );
  expect(sent).toEqual([]);
});

test('an error after content is sent like every event', async () => {
  const { sink, sent } = sinkOf(Promise.resolve());
  await Promise.resolve();
  sink.send([first, third]);
  sink.send([failure]);
  expect(sent).toEqual([first, third, failure]);
});

test('the stream starts when the limit is over, without content', async () => {
  const { sink, sent, started } = sinkOf(Promise.resolve(), { limitMs: 20 });
  sink.send([first, second]);
  expect(started).toEqual([]);
  await waitFor('the start', () => started.length > 0);
  expect(sent).toEqual([first, second]);
  sink.send([failure]);
  expect(sent).toEqual([first, second, failure]);
});

test('a connection that has closed starts no stream', async () => {
  const { sink, started, closed } = sinkOf(Promise.resolve());
  closed.abort();
  await Promise.resolve();
  sink.send([first, third]);
  expect(started).toEqual([]);
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

test('a refusal that the format sends in its stream starts it', async () => {
  const streamedRefusals = new Set(['budget_exceeded']);
  const { sink, sent, started } = sinkOf(Promise.resolve(), { streamedRefusals });
  await Promise.resolve();
  sink.send([first]);
  sink.send([refusal]);
  expect(started).toEqual([[first, refusal]]);
  expect(sent).toEqual([first, refusal]);
});
