import { afterEach, describe, expect, test } from '@jest/globals';
import { createThreadedVerifier } from '../../../engine/cache/threaded-verifier.ts';
import { ThreadRunner, type ThreadSettings } from '../../../platform/threads/thread-runner.ts';
import { PATIENT } from '../../harness/patience.ts';
import { waitFor } from '../../harness/wait-for.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((runner) => runner.close()));
});

function probe(settings: Partial<ThreadSettings> = {}): ThreadRunner {
  const file = new URL('./probe-thread.ts', import.meta.url);
  const runner = new ThreadRunner({ file, what: 'the probe', mostWaiting: 8, ...settings });
  running.push(runner);
  return runner;
}

/** Far from what a thread needs, so that only work that never ends is stopped. */
const RUN_MS = 1_500;

describe('a thread', () => {
  test('answers requests in their order', async () => {
    const runner = probe();
    const answers = await Promise.all([1, 2, 3].map((request) => runner.run(request)));
    expect(answers).toMatchObject([{ request: 1 }, { request: 2 }, { request: 3 }]);
  });

  test('that runs for ever is terminated in time, and a new one serves the requests behind it', async () => {
    const runner = probe();
    const first = (await runner.run('first')) as { threadId: number };
    const [stuck, next] = await Promise.allSettled([
      runner.run('for ever', { runMs: RUN_MS }),
      runner.run('next', { runMs: RUN_MS }),
    ]);
    expect(stuck).toMatchObject({
      reason: { name: 'TooLate', message: `the probe did not answer within ${RUN_MS} ms` },
    });
    expect(next).toMatchObject({ value: { request: 'next' } });
    expect(next).not.toMatchObject({ value: { threadId: first.threadId } });
  });

  test('does not block this process', async () => {
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    });
    await expect(probe().run('for ever', { runMs: RUN_MS })).rejects.toThrow('did not answer');
    clearInterval(others);
    expect(turns).toBeGreaterThan(10);
  });

  test('does not receive a request that has waited too long', async () => {
    const runner = probe();
    const stuck = runner.run('for ever', { runMs: RUN_MS });
    await expect(runner.run('late', { waitMs: 1 })).rejects.toThrow('the probe was busy for 1 ms');
    await expect(stuck).rejects.toThrow('did not answer');
  });

  test('that throws fails only that request', async () => {
    const runner = probe();
    const [failed, next] = await Promise.allSettled([runner.run('throw'), runner.run('next')]);
    expect(failed).toMatchObject({ reason: new Error('the probe: no') });
    expect(next).toMatchObject({ value: { request: 'next' } });
  });

  test('that dies fails its request, and a new one serves the requests behind it', async () => {
    const runner = probe();
    const [failed, next] = await Promise.allSettled([runner.run('exit'), runner.run('next')]);
    expect(failed).toMatchObject({ status: 'rejected' });
    expect(next).toMatchObject({ value: { request: 'next' } });
  });

  test('that cannot be loaded fails all waiting requests, with the reason', async () => {
    const runner = probe({ data: 'cannot be loaded' });
    const results = await Promise.allSettled([runner.run(1), runner.run(2)]);
    for (const result of results) expect(result).toMatchObject({ reason: new Error('the model is missing') });
  });

  test('serves queues round-robin: a queue with many requests delays only itself', async () => {
    const runner = probe();
    const answered: string[] = [];
    const ask = (name: string, turn: string) => runner.run(name, { turn }).then(() => answered.push(name));
    await Promise.all([
      ...[1, 2, 3, 4].map((index) => ask(`much-${index}`, 'much')),
      ask('one', 'another'),
      ask('two', 'a third'),
    ]);
    expect(answered).toEqual(['much-1', 'one', 'two', 'much-2', 'much-3', 'much-4']);
  });

  test('refuses a request of the longest queue when too many wait', async () => {
    const runner = probe({ mostWaiting: 3 });
    const much = [1, 2, 3].map((index) => runner.run(index, { turn: 'much' }));
    const refused = Promise.allSettled(much);
    await expect(runner.run('one', { turn: 'another' })).resolves.toMatchObject({ request: 'one' });
    await expect(runner.run('two', { turn: 'another' })).resolves.toMatchObject({ request: 'two' });
    expect((await refused).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  test('asks its owner while it handles a request, and receives the answer or the error', async () => {
    const answering = probe({ answer: async (question) => `${question} this one` });
    await expect(answering.run('ask')).resolves.toBe('which one? this one');
    const failing = probe({ answer: () => Promise.reject(new Error('I do not know')) });
    await expect(failing.run('ask')).rejects.toThrow('the probe: I do not know');
    await expect(probe().run('ask')).rejects.toThrow('the owner of the probe answers no questions');
  });

  test('with native code ends between two requests, because termination there aborts the process', async () => {
    const state = new Int32Array(new SharedArrayBuffer(4));
    const runner = probe({ data: state, isNative: true });
    const lost = expect(runner.run('wait')).rejects.toThrow('was closed');
    await waitFor('the thread works', () => state[0] === 1);
    const closed = runner.close();
    await lost;
    Atomics.store(state, 0, 2);
    Atomics.notify(state, 0);
    await closed;
    expect(state[0]).toBe(3);
  });

  test('limits how many requests wait', async () => {
    const runner = probe({ mostWaiting: 1 });
    const first = runner.run(1);
    await expect(runner.run(2)).rejects.toThrow('More than 1 requests wait for the probe.');
    await expect(first).resolves.toMatchObject({ request: 1 });
  });
});

test('sixteen neighbours that are hard to compare do not block this process', async () => {
  const verifier = createThreadedVerifier(PATIENT, 'rules');
  running.push(verifier);
  await verifier.warmUp();
  const hard = (index: number) => [`${'+'.repeat(1_900)} alpha${index} beta ${'1 a@ '.repeat(380)}`];
  const others = Array.from({ length: 16 }, (_, index) => hard(index));
  const agreements = verifier.compare(hard(17), others, { acceptedFalseHits: 0.01 });
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  });
  expect(await agreements).toEqual(others.map(() => ({ agreement: 'different' })));
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
});

test('a tenant with many questions does not delay those of another at the verifier', async () => {
  const verifier = createThreadedVerifier(PATIENT, 'rules');
  running.push(verifier);
  await verifier.warmUp();
  const answered: string[] = [];
  const ask = (tenant: string) =>
    verifier
      .compare(['Why?'], [['How?']], { tenant, acceptedFalseHits: 0.01 })
      .then(() => answered.push(tenant));
  await Promise.all([...Array.from({ length: 20 }, () => ask('much')), ask('another')]);
  // After the one that runs, and the one whose turn it was.
  expect(answered.indexOf('another')).toBeLessThanOrEqual(2);
});
