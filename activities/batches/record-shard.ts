/**
 * Writes the results of a shard: each of its lines once, in their order, from the logs of its generations. Repeated, it
 * writes the same bytes.
 */
import { ApplicationFailure } from '@temporalio/common';
import {
  type BatchStop,
  isFinal,
  NO_LINES,
  type RecordShard,
  type ShardResult,
} from '../../contracts/batches.ts';
import { docPage, ERRORS } from '../../contracts/errors.ts';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import type { BatchLine, LineResponse, LineResult } from '../../engine/batches/batch-line.ts';
import type { ResultLine } from '../../engine/batches/batch-objects.ts';
import type { BatchSpec, KeptAnswer } from '../../engine/batches/batch-store.ts';
import type { EndedLine } from '../../engine/batches/line-formats.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';

type Recording = Pick<BatchDependencies, 'batches' | 'batchObjects' | 'lineFormats' | 'nowMs' | 'readLine'>;

export function recordShard(dependencies: Recording) {
  return (shard: RecordShard): Promise<void> => withHeartbeats(() => writeShard(dependencies, shard));
}

/** How long a line that still runs is waited for: a generation always ends. */
const LOOK_AGAIN_MS = 1_000;

export async function writeShard(dependencies: Recording, shard: RecordShard): Promise<void> {
  const { batches, batchObjects, readLine } = dependencies;
  const [spec, refused, kept] = await Promise.all([
    batches.spec(shard.batchId),
    batches.refused(shard),
    batches.keptAnswers(shard),
  ]);
  // Read after them: they are deleted with the note, so an attempt that another has overtaken would find none of them.
  if ((await batches.notedShards(shard.batchId)).has(shard.shard)) return;
  const offsets = await batchObjects.readOffsets(shard);
  const first = shard.shard * shard.shardLines;
  const ending = new ShardEnding(dependencies, { spec, shard, refused, kept });
  const results = async function* (): AsyncGenerator<ResultLine> {
    let index = first;
    for await (const bytes of batchObjects.readLines(spec.inputKey, offsets)) {
      yield await ending.resultOf(readLine(bytes, index, spec.endpoint));
      index += 1;
    }
  };
  await batchObjects.writeResults(shard, results());
  await batches.noteShard(shard, ending.sum());
  const head = await batches.head(shard.batchId);
  // While this worker was cut off, the batch ended or was erased, and its objects were deleted.
  if (head === null || isFinal(head.status)) await batchObjects.deleteResults(shard);
}

interface ShardFacts {
  readonly spec: BatchSpec;
  readonly shard: RecordShard;
  readonly refused: ReadonlyMap<number, LineResponse>;
  readonly kept: ReadonlyMap<number, KeptAnswer>;
}

class ShardEnding {
  readonly #dependencies: Recording;
  readonly #facts: ShardFacts;
  #sum: ShardResult = { ...NO_LINES, usage: NO_USAGE, costMicroUsd: 0 };

  constructor(dependencies: Recording, facts: ShardFacts) {
    this.#dependencies = dependencies;
    this.#facts = facts;
  }

  sum(): ShardResult {
    return this.#sum;
  }

  async resultOf(line: BatchLine): Promise<ResultLine> {
    const { lineFormats } = this.#dependencies;
    const { result, usage, costMicroUsd } = await this.#endOf(line);
    const { kind } = result;
    this.#sum = {
      ...this.#sum,
      [kind]: this.#sum[kind] + 1,
      usage: addUsage(this.#sum.usage, usage),
      costMicroUsd: this.#sum.costMicroUsd + costMicroUsd,
    };
    return lineFormats.write(this.#facts.spec, line, result);
  }

  async #endOf(line: BatchLine): Promise<EndedLine> {
    const { lineFormats } = this.#dependencies;
    const { spec, refused, kept } = this.#facts;
    const refusal = refused.get(line.index);
    if (refusal !== undefined) {
      // It was refused after an attempt, or a choice, before had been submitted: nothing starts that run any more.
      await lineFormats.endStranded(spec, line);
      return free({ kind: 'failed', response: refusal });
    }
    const answer = kept.get(line.index);
    if (answer !== undefined) {
      const { response, usage, costMicroUsd, booking } = answer;
      const kind = booking?.failure == null ? 'completed' : 'failed';
      return { result: { kind, response }, usage, costMicroUsd };
    }
    const found = await lineFormats.answer(spec, line);
    if (found === 'running') {
      // The shard has waited for the runs that it started.
      await lineFormats.endStranded(spec, line);
      throw stillRuns(line);
    }
    return found === 'missing' ? free(this.#unsent()) : found;
  }

  /** Of a line that never began. */
  #unsent(): LineResult {
    const { shard } = this.#facts;
    const isOver = this.#dependencies.nowMs() >= shard.deadlineAtMs;
    const stop: BatchStop | null = shard.stop ?? (isOver ? 'expired' : null);
    if (stop !== null) return { kind: stop };
    const error = { code: 'internal', message: ERRORS.internal.fix, doc: docPage('internal') };
    return { kind: 'failed', response: { statusCode: ERRORS.internal.status, body: { error } } };
  }
}

function free(result: LineResult): EndedLine {
  return { result, usage: NO_USAGE, costMicroUsd: 0 };
}

function stillRuns({ index }: BatchLine): ApplicationFailure {
  return ApplicationFailure.create({
    message: `Line ${index + 1} has not ended yet; its shard is recorded once it has.`,
    type: 'line_runs',
    nextRetryDelay: LOOK_AGAIN_MS,
  });
}
