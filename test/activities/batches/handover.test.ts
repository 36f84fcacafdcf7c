/** Lines at their vendors: created once, polled, ended early, and each answer booked once, whatever dies. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textOf } from '../../../contracts/fold-events.ts';
import type { BatchStore } from '../../../engine/batches/batch-store.ts';
import type { ProviderBatches } from '../../../engine/providers/provider-batches.ts';
import { promptOf } from '../../harness/prompt.ts';
import { waitFor } from '../../harness/wait-for.ts';
import {
  type Batch,
  type HandoverDependencies,
  type HandoverStand,
  startHandoverStand,
} from './handover-stand.ts';

const WIRES = ['openai-chat', 'anthropic-messages'] as const;

let on: HandoverStand;
beforeAll(async () => {
  on = await startHandoverStand(WIRES);
});
afterAll(() => on?.stop());

let known: ReadonlySet<string>;
beforeEach(async () => {
  known = new Set((await on.stand.sim.batches()).map(({ id }) => id));
});

/** The batches that the vendors have got in this test. */
const created = async () => (await on.stand.sim.batches()).filter(({ id }) => !known.has(id));
const questions = (count: number) => Array.from({ length: count }, () => promptOf({ tokens: 8 }));
const died = () => new Error('the process died');

/** @param at the fact, or how it begins. A process that dies instead of noting it, or after that. */
function dying(at: string, when: 'before' | 'after' = 'before'): HandoverDependencies {
  const { batches } = on.dependencies;
  const keepHandover: BatchStore['keepHandover'] = async (batchId, fact, value) => {
    const isIt = fact.startsWith(at);
    if (isIt && when === 'before') throw died();
    const kept = await batches.keepHandover(batchId, fact, value);
    if (isIt) throw died();
    return kept;
  };
  return { ...on.dependencies, batches: withMethods(batches, { keepHandover }) };
}

/** The same object with some methods replaced. */
function withMethods<Part extends object>(part: Part, methods: Partial<Part>): Part {
  return new Proxy(part, {
    get(target, name) {
      if (name in methods) return methods[name as keyof Part];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function withVendor(wire: string, methods: Partial<ProviderBatches>): HandoverDependencies {
  const vendor = on.dependencies.vendorBatches.get(wire);
  if (vendor === undefined) throw new Error(`no batches of ${wire}`);
  return { ...on.dependencies, vendorBatches: new Map([[wire, withMethods(vendor, methods)]]) };
}

async function partsOf({ spec }: Batch) {
  return (await on.dependencies.batches.handover(spec.batchId)).parts;
}

describe.each(WIRES)('lines for %s', (wire) => {
  test('are in one batch, wherever the process dies that hands them over', async () => {
    const batch = await on.begin(wire, questions(3));
    // Before anything is noted, with the intent noted, and after the vendor has created the batch.
    await expect(on.handOver(batch, dying('plan'))).rejects.toThrow();
    await expect(on.handOver(batch, dying('intent:0'))).rejects.toThrow();
    await expect(on.handOver(batch, dying('intent:0', 'after'))).rejects.toThrow();
    await expect(on.handOver(batch, dying('doubt:0', 'after'))).rejects.toThrow();
    expect(await created()).toEqual([]);
    await expect(on.handOver(batch, dying('ref:0'))).rejects.toThrow();
    expect(await created()).toHaveLength(1);
    // It has ended by then, or its vendor cannot say which it is.
    const handed = await waitFor('the batch is found', () => on.handOver(batch).catch(() => null));
    expect(handed).toMatchObject({ isPrepared: true, isSubmitted: true });
    expect(await on.handOver(batch)).toEqual(handed);
    const [only, ...others] = await created();
    expect(others).toEqual([]);
    expect(only).toMatchObject({ lines: 3 });
    expect(await partsOf(batch)).toMatchObject([{ part: 0, lines: 3, ref: { vendorId: only?.id } }]);
    expect(await on.booked(batch, 0)).toMatchObject({ spentMicroUsd: 0 });
    expect((await on.booked(batch, 0)).reservedMicroUsd).toBeGreaterThan(0);
    expect(await on.accounts.reservationOf('acme', batch.idOf(0))).toMatchObject({
      heldBy: batch.spec.batchId,
    });
  });

  test('of a batch that two processes create are in one of them: the other is ended at once', async () => {
    const batch = await on.begin(wire, questions(2));
    await on.stand.sim.planBatch({ holdAfterLines: 0, times: 2 });
    // Both have found none; the one that is paused here notes its own too late.
    let other: Promise<unknown> = Promise.resolve();
    const late = withVendor(wire, {
      submit: async (...call) => {
        other = on.handOver(batch, withVendor(wire, { find: async () => ({ found: 'no' }) }));
        await other;
        return (on.dependencies.vendorBatches.get(wire) as ProviderBatches).submit(...call);
      },
    });
    await on.handOver(batch, late);
    const [ref] = (await partsOf(batch)).map((part) => part.ref?.vendorId);
    const both = await created();
    expect(both).toHaveLength(2);
    const second = both.find(({ id }) => id !== ref);
    await waitFor('the end of the second', async () =>
      (await on.stand.sim.batches()).some(
        ({ id, hasEnded, billed }) => id === second?.id && hasEnded && billed === 0,
      ),
    );
    await on.stand.sim.clearBatchPlans();
  });

  test('whose creation its vendor has surely refused are sent again without a look; else it is asked first', async () => {
    const batch = await on.begin(wire, questions(2));
    const blind = withVendor(wire, {
      find: async () => {
        throw new Error('it was not to be asked');
      },
    });
    await on.stand.sim.planBatch({ refusesWith: 429 });
    await expect(on.handOver(batch, blind)).rejects.toMatchObject({ type: 'provider_rate_limited' });
    expect((await partsOf(batch))[0]?.doubts).toEqual([]);
    await on.stand.sim.planBatch({ refusesWith: 503 });
    await expect(on.handOver(batch, blind)).rejects.toMatchObject({ type: 'provider_unavailable' });
    expect((await partsOf(batch))[0]?.doubts).toHaveLength(1);
    await expect(on.handOver(batch, blind)).rejects.toThrow('it was not to be asked');
    expect(await created()).toEqual([]);
    expect(await on.handOver(batch)).toMatchObject({ isSubmitted: true });
    expect(await created()).toHaveLength(1);
  });

  test('that their vendor refuses as a whole are called, and it is said why', async () => {
    const batch = await on.begin(wire, questions(2));
    await on.stand.sim.planBatch({ refusesWith: 400 });
    expect(await on.handOver(batch)).toMatchObject({ isPrepared: true, isSubmitted: false });
    expect(await partsOf(batch)).toMatchObject([{ ref: null, end: { state: 'refused' } }]);
    expect((await partsOf(batch))[0]?.end?.message).not.toBe('');
    expect(await created()).toEqual([]);
  });

  test('wait as long as their batch runs, and end with it, with an answer each that is booked once', async () => {
    const texts = questions(3);
    const batch = await on.begin(wire, texts);
    await on.stand.sim.planBatch({ holdAfterLines: 1 });
    await on.handOver(batch);
    await expect(on.awaitVendors(batch)).rejects.toMatchObject({
      type: 'vendor_runs',
      nextRetryDelay: 100,
    });
    const [vendor] = await created();
    await on.stand.sim.releaseBatch(vendor?.id ?? '');
    await waitFor('the end', () =>
      on.awaitVendors(batch).then(
        () => true,
        () => false,
      ),
    );
    // A process that dies after it has stored the answers, and before it notes that.
    await expect(on.keepAnswers(batch, dying('kept'))).rejects.toThrow();
    await on.keepAnswers(batch);
    await on.keepAnswers(batch);
    expect((await on.dependencies.batches.handover(batch.spec.batchId)).answers).toBe(3);
    expect(await on.takeAnswers(batch)).toEqual([0, 1, 2]);
    expect(await on.takeAnswers(batch)).toEqual([0, 1, 2]);
    for (const [line, text] of texts.entries()) {
      const events = await on.events(batch, line);
      expect(textOf(events)).toBe((await on.stand.sim.text(text)).text);
      const end = events.at(-1);
      if (end?.type !== 'generation-end') throw new Error(`line ${line} has no answer`);
      expect(end.usage.serviceTier).toBe('batch');
      const { inputTokens, outputTokens } = end.usage;
      expect(end.costMicroUsd).toBe(5 * (inputTokens + outputTokens));
      expect(await on.booked(batch, line)).toEqual({
        debits: 1,
        spentMicroUsd: end.costMicroUsd,
        reservedMicroUsd: 0,
      });
    }
    expect((await on.stand.sim.batches()).find(({ id }) => id === vendor?.id)?.billed ?? 3).toBe(3);
    expect(await created()).toHaveLength(wire === 'openai-chat' ? 1 : 0);
  });

  test('of a reading that was interrupted are read again, and what was interrupted is not booked', async () => {
    const [text = ''] = questions(1);
    const batch = await on.begin(wire, [text]);
    await on.answer(batch);
    const vendor = on.dependencies.vendorBatches.get(wire) as ProviderBatches;
    const half = withVendor(wire, {
      answer: async function* (...call) {
        for await (const event of vendor.answer(...call)) {
          if (event.type === 'finish') throw died();
          yield event.type === 'text' ? { ...event, text: event.text.slice(0, 5) } : event;
        }
      },
    });
    await expect(on.takeAnswers(batch, null, half)).rejects.toThrow();
    expect(await on.takeAnswers(batch)).toEqual([0]);
    const events = await on.events(batch, 0);
    expect(textOf(events)).toBe((await on.stand.sim.text(text)).text);
    expect(events.filter(({ type }) => type === 'provider-start')).toHaveLength(2);
    expect(events.find(({ type }) => type === 'provider-error')).toMatchObject({
      code: 'attempt_interrupted',
      costMicroUsd: 0,
    });
    const end = events.at(-1);
    if (end?.type !== 'generation-end') throw new Error('no answer');
    expect(end.costMicroUsd).toBe(5 * (end.usage.inputTokens + end.usage.outputTokens));
    expect(await on.booked(batch, 0)).toMatchObject({ debits: 1, spentMicroUsd: end.costMicroUsd });
  });

  test('of a batch that is cancelled keep the answers that there are, and the rest is released', async () => {
    const batch = await on.begin(wire, questions(3));
    await on.stand.sim.planBatch({ holdAfterLines: 1 });
    await on.handOver(batch);
    const [vendor] = await created();
    await waitFor('an answer', async () => (await created()).some(({ billed }) => billed === 1));
    await waitFor('the end', () =>
      on.awaitVendors(batch, { cancels: true }).then(
        () => true,
        () => false,
      ),
    );
    await on.keepAnswers(batch);
    expect(await on.takeAnswers(batch, 'cancelled')).toEqual([0, 1, 2]);
    expect(await on.takeAnswers(batch, 'cancelled')).toEqual([0]);
    expect((await on.events(batch, 0)).at(-1)).toMatchObject({ type: 'generation-end' });
    for (const line of [1, 2]) {
      expect((await on.events(batch, line)).at(-1)).toMatchObject({
        type: 'generation-cancel',
        costMicroUsd: 0,
      });
      expect(await on.booked(batch, line)).toEqual({ debits: 0, spentMicroUsd: 0, reservedMicroUsd: 0 });
    }
    expect(vendor?.lines).toBe(3);
  });

  test('whose answer does not fit its schema are left to calls; one that cannot be read is not called', async () => {
    const properties = { size: { type: 'integer' } };
    const schema = { type: 'object', properties, required: ['size'], additionalProperties: false };
    const checked = { output: { name: 'size', schema }, outputCheck: { attempts: 2 } };
    await on.stand.sim.fault({ kind: 'says', text: '{"size":"large"}', times: 1 });
    const unfit = await on.begin(wire, ['How large?'], checked);
    await on.answer(unfit);
    expect(await on.takeAnswers(unfit)).toEqual([]);
    const events = await on.events(unfit, 0);
    const failed = events.at(-1);
    if (failed?.type !== 'provider-error') throw new Error('it fits');
    expect(failed).toMatchObject({ code: 'output_invalid', usage: { serviceTier: 'batch' } });
    expect(failed.costMicroUsd).toBe(5 * (failed.usage.inputTokens + failed.usage.outputTokens));

    const broken = await on.begin(wire, questions(1));
    await on.answer(broken);
    const unreadable = withVendor(wire, {
      answer: async function* () {
        yield* (on.dependencies.vendorBatches.get(wire) as ProviderBatches).answer(
          { model: 'm', input: { messages: [], maxOutputTokens: 1 }, maxOutputTokens: 1 },
          { nothing: 1 },
        );
      },
    });
    expect(await on.takeAnswers(broken, null, unreadable)).toEqual([0]);
    expect((await on.events(broken, 0)).at(-1)).toMatchObject({
      type: 'generation-error',
      error: { code: 'provider_malformed' },
    });
    expect((await on.booked(broken, 0)).reservedMicroUsd).toBe(0);
  });
});

test('lines of several providers are in a batch of each, and one that no batch takes is left to a call', async () => {
  const batch = await on.begin('openai-chat', questions(2));
  const { lineFormats } = on.dependencies;
  const mixed: HandoverDependencies = {
    ...on.dependencies,
    lineFormats: withMethods(lineFormats, {
      order: async (spec, line) => {
        const orders = (await lineFormats.order(spec, line)) ?? [];
        const provider = line.index === 0 ? 'anthropic-messages' : 'elsewhere';
        return orders.map((order) => ({ ...order, candidates: [{ provider, model: 'sim-large' }] }));
      },
    }),
  };
  expect(await on.handOver(batch, mixed)).toMatchObject({ isPrepared: true, isSubmitted: true });
  expect(await partsOf(batch)).toMatchObject([{ provider: 'anthropic-messages', lines: 1 }]);
  const prepared = await on.dependencies.handoverObjects.readPrepared({ ...batch.spec, shard: 0 });
  expect(prepared?.map(({ handed }) => handed?.candidate.provider ?? null)).toEqual([
    'anthropic-messages',
    null,
  ]);
});

test('vendors that have not ended long after the deadline are waited for no more', async () => {
  const batch = await on.begin('openai-chat', questions(1));
  await on.stand.sim.planBatch({ holdAfterLines: 0 });
  await on.handOver(batch);
  await on.awaitVendors(batch, { isLate: true });
  expect(await partsOf(batch)).toMatchObject([{ end: { state: 'lost' } }]);
  await on.keepAnswers(batch);
  expect(await on.takeAnswers(batch, 'expired')).toEqual([0]);
  expect((await on.events(batch, 0)).at(-1)).toMatchObject({
    type: 'generation-error',
    error: { code: 'generation_timeout' },
  });
});

test('a batch whose time is too short, or that was cancelled, creates nothing', async () => {
  const short = await on.begin('openai-chat', questions(1));
  const hurried = { ...short, spec: { ...short.spec, deadlineAtMs: Date.now() + 500 } };
  expect(await on.handOver(hurried)).toEqual({ isPrepared: false, isSubmitted: false, liveAtMs: 0 });
  expect((await on.dependencies.batches.handover(short.spec.batchId)).liveReason).toContain('too short');
  const cancelled = await on.begin('openai-chat', questions(1));
  await on.dependencies.batches.change(cancelled.spec.batchId, { to: 'cancelling', from: ['in_progress'] });
  expect(await on.handOver(cancelled)).toMatchObject({ isPrepared: false, isSubmitted: false });
  expect(await created()).toEqual([]);
});
