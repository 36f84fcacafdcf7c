import { AssertionError } from 'node:assert';
import { describe, expect, test } from '@jest/globals';
import { Viewer, type ViewerSink } from '../../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { waitFor } from '../../harness/wait-for.ts';

const GENERATION_ID = 'gen_1';
const deltas = (...seqs: readonly number[]): GenerationEvent[] =>
  seqs.map((seq) => ({ seq, at: seq, type: 'text-delta', text: `${seq} ` }));
const end = (seq: number): GenerationEvent => ({
  seq,
  at: seq,
  type: 'generation-cancel',
  attempts: 1,
  usage: NO_USAGE,
  costMicroUsd: 0,
});

/** A viewer of a log that the test holds. `window.events`: what the subscription delivers at its next question. */
function viewerOf(log: GenerationEvent[], after = -1) {
  const sent: GenerationEvent[] = [];
  const connection: { full: PromiseWithResolvers<boolean> | null } = { full: null };
  const sink: ViewerSink = {
    ready: () => connection.full === null,
    whenReady: () => connection.full?.promise ?? Promise.resolve(true),
    send: (events) => void sent.push(...events),
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: false,
  };
  const window: { events: GenerationEvent[] | null } = { events: null };
  let reads = 0;
  const viewer = new Viewer({
    generationId: GENERATION_ID,
    after,
    sink,
    stallMs: 60_000,
    heartbeatMs: 60_000,
    onSilence: () => undefined,
    source: {
      window: () => {
        const { events } = window;
        window.events = null;
        return events;
      },
      stored: async (cursor) => {
        reads += 1;
        return {
          events: log.filter(({ seq }) => seq > cursor),
          cursorAtMs: log.find(({ seq }) => seq === cursor)?.at,
        };
      },
      head: async () => ({
        generationId: GENERATION_ID,
        tenant: 'acme',
        user: 'ann',
        route: 'default',
        status: log.at(-1)?.type === 'generation-cancel' ? 'cancelled' : 'running',
        nextSeq: log.length,
        createdAt: 0,
        endedAt: null,
        metadata: {},
        checkpoint: null,
        torn: null,
        origin: null,
        erased: false,
        isCancelRequested: false,
        isArchived: false,
        stored: false,
      }),
    },
  });
  const running = viewer.run();
  running.catch(() => undefined);
  return { viewer, sent, running, window, connection, reads: () => reads };
}

/** A viewer that has read the whole log so far and waits for the next batch. */
async function idleViewer(log: GenerationEvent[]) {
  const watched = viewerOf(log);
  // The read after the last event finds nothing: then it is idle.
  await waitFor('the viewer to be idle', () => watched.reads() >= 2 && watched.sent.length === log.length);
  return watched;
}

describe('a viewer', () => {
  test('takes the next batch without a read', async () => {
    const { viewer, sent, running, reads } = await idleViewer(deltas(0, 1));
    const before = reads();
    viewer.takeBatch([...deltas(2), end(3)]);
    expect(await running).toBe(3);
    expect(sent.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(reads()).toBe(before);
  });

  test('that has the end of the log gets nothing, at once', async () => {
    const { sent, running } = viewerOf([...deltas(0, 1), end(2)], 2);
    expect(await running).toBe(2);
    expect(sent).toEqual([]);
  });

  test.each([
    ['before a batch', deltas(3)],
    ['within a batch', deltas(2, 4)],
  ])('reads the log when there is a gap %s', async (_where, batch) => {
    const log = deltas(0, 1);
    const { viewer, sent, running } = await idleViewer(log);
    log.push(...deltas(2, 3, 4), end(5));
    viewer.takeBatch(batch);
    expect(await running).toBe(5);
    expect(sent).toEqual(log);
  });

  test.each([
    ['skips an event', deltas(2)],
    ['repeats an event', deltas(0, 1)],
    ['has its events out of order', deltas(1, 3, 2)],
  ])('fails alone, before it sends anything, when a source %s', async (_what, faulty) => {
    const log = deltas(0);
    const { viewer, sent, running, window } = await idleViewer(log);
    const other = viewerOf([...log, end(1)]);
    window.events = faulty;
    viewer.takeBatch(null);
    await expect(running).rejects.toBeInstanceOf(AssertionError);
    expect(sent).toEqual(log);
    expect(await other.running).toBe(1);
  });

  test('whose connection is full while batches are lost reads the log, and learns that its tail was lost', async () => {
    const log = deltas(0, 1);
    const { viewer, sent, running, window, connection } = await idleViewer(log);
    const full = Promise.withResolvers<boolean>();
    connection.full = full;
    viewer.takeBatch(deltas(2));
    // Redis has lost event 1. Another one has its seq, and the subscription delivers only what follows.
    log.splice(1, 1, ...deltas(1).map((event) => ({ ...event, at: 100 })), ...deltas(2), end(3));
    viewer.takeBatch(null);
    window.events = deltas(2);
    connection.full = null;
    full.resolve(true);
    await expect(running).rejects.toMatchObject({ code: 'log_tail_lost' });
    expect(sent).toEqual(deltas(0, 1));
  });

  test('fails when a merged event ends before it begins', async () => {
    const { viewer, running, window } = await idleViewer(deltas(0));
    window.events = deltas(0).map((event) => ({ ...event, from: 1 }));
    viewer.takeBatch(null);
    await expect(running).rejects.toBeInstanceOf(AssertionError);
  });
});
