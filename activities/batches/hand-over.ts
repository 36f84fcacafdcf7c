/**
 * Hands the lines of a batch over to the batches of their vendors, which cost half: prepares all lines, deals those
 * that a vendor takes out to parts, and creates a batch for each. Each step of it is noted: a repeated call continues.
 */
import { Context } from '@temporalio/activity';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { HandedOver, HandOver } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { BatchSpec } from '../../engine/batches/batch-store.ts';
import type { Part, PreparedLine } from '../../engine/batches/handover.ts';
import type { EncodedLine } from '../../engine/providers/provider-batches.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { encodePrepared, type Preparing, prepareShard } from './prepare-lines.ts';
import { submitPart } from './submit-part.ts';

type HandingOver = Preparing &
  Pick<BatchDependencies, 'batches' | 'mayPayBatch' | 'nowMs' | 'planParts' | 'vendorTimes'>;

const LIVE: HandedOver = { isPrepared: false, isSubmitted: false, liveAtMs: 0 };

export function handOver(dependencies: HandingOver) {
  return (step: HandOver): Promise<HandedOver> =>
    withHeartbeats(() => new HandoverStep(dependencies, step, Context.current().cancellationSignal).run());
}

interface Prepared {
  readonly parts: readonly Part[];
  /** Whether a line was prepared, and whether all were. */
  readonly isPrepared: boolean;
  readonly isWhole: boolean;
}

class HandoverStep {
  readonly #dependencies: HandingOver;
  readonly #step: HandOver;
  readonly #signal: AbortSignal;

  constructor(dependencies: HandingOver, step: HandOver, signal: AbortSignal) {
    this.#dependencies = dependencies;
    this.#step = step;
    this.#signal = signal;
  }

  async run(): Promise<HandedOver> {
    const { batches } = this.#dependencies;
    const { batchId } = this.#step;
    const spec = await batches.spec(batchId);
    const liveAtMs = await this.#decide(spec);
    if (liveAtMs === null) return LIVE;
    const { parts, isPrepared, isWhole } = await this.#prepare(spec);
    for (const part of parts) await this.#submit(spec, part, { liveAtMs, isWhole });
    const { parts: submitted } = await batches.handover(batchId);
    if (submitted.length === 0) {
      await batches.keepHandover(batchId, 'live', { reason: isWhole ? NO_VENDOR : STOPPED });
    }
    return { isPrepared, isSubmitted: submitted.some(({ ref }) => ref !== null), liveAtMs };
  }

  /** @returns until when lines may wait; null: none does. */
  async #decide(spec: BatchSpec): Promise<number | null> {
    const { batches } = this.#dependencies;
    const { batchId } = this.#step;
    const known = await batches.handover(batchId);
    if (known.liveAtMs !== null) return known.liveAtMs;
    if (known.liveReason !== null) return null;
    const liveAtMs = this.#liveAtMs();
    const reason = await this.#whyLive(spec, liveAtMs);
    if (reason === null) return (await batches.keepHandover(batchId, 'plan', { liveAtMs })).liveAtMs;
    await batches.keepHandover(batchId, 'live', { reason });
    return null;
  }

  /** The last moment from which all lines can be called before the deadline. */
  #liveAtMs(): number {
    const { deadlineAtMs, lines, linesAtOnce } = this.#step;
    const { cancelMs, liveLineMs } = this.#dependencies.vendorTimes;
    return deadlineAtMs - cancelMs - Math.ceil(lines / linesAtOnce) * liveLineMs;
  }

  async #whyLive(spec: BatchSpec, liveAtMs: number): Promise<string | null> {
    const { mayPayBatch, nowMs, vendorBatches, vendorTimes } = this.#dependencies;
    if (spec.endpoint === '/v1/embeddings') return 'Embeddings are not sent to batches of providers.';
    if (vendorBatches.size === 0) return NO_VENDOR;
    if (liveAtMs - nowMs() < vendorTimes.pollMs) {
      return 'Its time is too short: a provider may need all of it, and calls of all lines must still fit into it.';
    }
    return (await mayPayBatch(spec)) ? null : 'The key that created this batch has expired or was revoked.';
  }

  async #prepare(spec: BatchSpec): Promise<Prepared> {
    const { handoverObjects, planParts } = this.#dependencies;
    const { lines, shardLines } = this.#step;
    const plan = planParts();
    let isPrepared = false;
    for (let shard = 0; shard * shardLines < lines; shard += 1) {
      const known = await handoverObjects.readPrepared(this.#nameOf(shard));
      const prepared = known ?? (await this.#prepareShard(spec, shard));
      if (prepared === null) return { parts: plan.parts(), isPrepared, isWhole: false };
      for (const { line, handed } of prepared) {
        isPrepared = true;
        if (handed !== null) plan.add(line, handed);
      }
    }
    return { parts: plan.parts(), isPrepared, isWhole: true };
  }

  /** @returns null if the batch was cancelled, or its input cannot be read any more: its end says so. */
  async #prepareShard(spec: BatchSpec, shard: number): Promise<readonly PreparedLine[] | null> {
    if (await this.#isStopped()) return null;
    try {
      return await prepareShard(this.#dependencies, spec, this.#nameOf(shard));
    } catch (error) {
      if (error instanceof UnbrokenError && (error.code === 'not_found' || error.code === 'invalid_json')) {
        return null;
      }
      throw error;
    }
  }

  async #submit(
    spec: BatchSpec,
    part: Part,
    { liveAtMs, isWhole }: { readonly liveAtMs: number; readonly isWhole: boolean },
  ): Promise<void> {
    const { deadlineAtMs } = this.#step;
    await submitPart(this.#dependencies, {
      spec,
      part,
      liveAtMs,
      giveUpAtMs: deadlineAtMs + BATCH_LIMITS.vendorLateMs,
      mayCreate: isWhole && !(await this.#isStopped()),
      signal: this.#signal,
      encode: () => this.#encode(part),
    });
  }

  async #encode({ indexes }: Part): Promise<readonly EncodedLine[] | null> {
    const { shardLines } = this.#step;
    const wanted = new Set(indexes);
    const shards = new Set(indexes.map((line) => Math.floor(line / shardLines)));
    const encoded: EncodedLine[] = [];
    for (const shard of shards) {
      const prepared = (await this.#dependencies.handoverObjects.readPrepared(this.#nameOf(shard))) ?? [];
      const own = prepared.filter(({ line }) => wanted.has(line));
      for (const line of await Promise.all(own.map((ready) => encodePrepared(this.#dependencies, ready)))) {
        if (line === null) return null;
        encoded.push(line);
      }
    }
    return encoded;
  }

  async #isStopped(): Promise<boolean> {
    const head = await this.#dependencies.batches.head(this.#step.batchId);
    return head?.status !== 'in_progress';
  }

  #nameOf(shard: number) {
    const { tenant, batchId, lines, shardLines } = this.#step;
    return { tenant, batchId, shard, lines, shardLines };
  }
}

const NO_VENDOR =
  'No line is for a provider whose batches can be used: those of OpenAI and Anthropic, with a key.';
const STOPPED = 'It was cancelled, or its input was deleted, before its lines were handed over.';
