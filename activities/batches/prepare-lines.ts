/**
 * Prepares lines for the batches of their vendors: submits their generations, reserves their budgets, and writes them
 * in the words of their vendors, to learn whether these take them. Repeated, it changes nothing.
 */
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { BatchPlan, ShardName } from '../../contracts/batches.ts';
import type { Candidate, GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import type { GrantedReservation } from '../../contracts/steps.ts';
import type { BatchLine } from '../../engine/batches/batch-line.ts';
import type { BatchSpec } from '../../engine/batches/batch-store.ts';
import type { HandedLine, PreparedLine } from '../../engine/batches/handover.ts';
import type { BatchedCall, EncodedLine, ProviderBatches } from '../../engine/providers/provider-batches.ts';
import { openSeals } from '../attempt/open-seals.ts';
import { readSentInput } from '../attempt/sent-input.ts';
import type { Dependencies } from '../dependencies.ts';
import { reserveBudget } from '../reserve-budget.ts';
import type { BatchDependencies } from './batch-dependencies.ts';

export type Preparing = Dependencies &
  Pick<BatchDependencies, 'batchObjects' | 'handoverObjects' | 'lineFormats' | 'readLine' | 'vendorBatches'>;

/** Prepares the lines of a shard, and keeps them. @throws UnbrokenError, not_found if the input was deleted */
export async function prepareShard(
  dependencies: Preparing,
  spec: BatchSpec,
  shard: ShardName & BatchPlan,
): Promise<readonly PreparedLine[]> {
  const { batchObjects, handoverObjects, readLine } = dependencies;
  const offsets = await batchObjects.readOffsets(shard);
  const prepared: PreparedLine[] = [];
  let some: BatchLine[] = [];
  let index = shard.shard * shard.shardLines;
  const prepareSome = async () => {
    const lines = await Promise.all(some.map((line) => prepareLine(dependencies, spec, line)));
    prepared.push(...lines.filter((line) => line !== null));
    some = [];
  };
  for await (const bytes of batchObjects.readLines(spec.inputKey, offsets)) {
    some.push(readLine(bytes, index, spec.endpoint));
    index += 1;
    if (some.length === BATCH_LIMITS.preparedAtOnce) await prepareSome();
  }
  await prepareSome();
  await handoverObjects.writePrepared(shard, prepared);
  return prepared;
}

/** @returns null for a line without a log: it is refused, or asks for several answers, when it is its turn. */
async function prepareLine(
  dependencies: Preparing,
  spec: BatchSpec,
  line: BatchLine,
): Promise<PreparedLine | null> {
  const order = await submit(dependencies, spec, line);
  if (order === null) return null;
  const [candidate] = order.candidates;
  const batches = candidate === undefined ? undefined : dependencies.vendorBatches.get(candidate.provider);
  const live = { line: line.index, order, reservation: null, handed: null };
  // What has its older turns summarised first is not known yet.
  if (candidate === undefined || batches === undefined || order.compaction !== undefined) return live;
  const input = await dependencies.log.readInput(order.generationId);
  if (input === null) return live;
  const { outcome, sent } = await reserveBudget(dependencies)(order, input);
  if (!outcome.granted) return live;
  const { granted: _, ...reservation } = outcome;
  const call = { order, candidate, reservation };
  const encoded = await encode(dependencies, batches, { ...call, line: line.index, sent });
  return { line: line.index, order, reservation, handed: handedOf(encoded, candidate, batches) };
}

function handedOf(
  encoded: EncodedLine | null,
  candidate: Candidate,
  { most }: ProviderBatches,
): HandedLine | null {
  if (encoded === null) return null;
  const bytes = Buffer.byteLength(encoded.text);
  return bytes < most.bytes ? { candidate, group: encoded.group, bytes } : null;
}

/** @returns null if it is refused: it will be again, and its client learns why. */
async function submit(
  { lineFormats }: Preparing,
  spec: BatchSpec,
  line: BatchLine,
): Promise<GenerationOrder | null> {
  try {
    if (lineFormats.generationsOf(spec, line) !== 1) return null;
    return (await lineFormats.order(spec, line))?.[0] ?? null;
  } catch (error) {
    if (lineFormats.refusal(spec, error) === null) throw error;
    return null;
  }
}

/** The line as its vendor gets it. @returns null if its input is lost, or its vendor's batches do not take it */
export async function encodePrepared(
  dependencies: Preparing,
  { line, order, reservation, handed }: PreparedLine,
): Promise<EncodedLine | null> {
  if (handed === null || reservation === null) return null;
  const { candidate } = handed;
  const batches = dependencies.vendorBatches.get(candidate.provider);
  const sent = await readSentInput(dependencies, order);
  if (batches === undefined || sent === null) return null;
  return encode(dependencies, batches, { line, order, candidate, reservation, sent });
}

interface CallToEncode {
  readonly line: number;
  readonly order: GenerationOrder;
  readonly candidate: Candidate;
  readonly reservation: GrantedReservation;
  /** The input as it is sent. */
  readonly sent: GenerationInput;
}

async function encode(
  dependencies: Preparing,
  batches: ProviderBatches,
  { line, order, candidate, reservation, sent }: CallToEncode,
): Promise<EncodedLine | null> {
  const { isUnlimited, maxOutputTokens } = reservation;
  const key = { id: batches.keyId, secret: undefined };
  const { opened } = await openSeals(dependencies, { step: { order, candidate }, input: sent, key });
  const call: BatchedCall = {
    model: candidate.model,
    input: sent,
    maxOutputTokens: sent.capFrom === 'default' && isUnlimited === true ? null : maxOutputTokens,
    openedSeals: opened,
    promptCacheKey: order.promptCacheKey,
  };
  return batches.encode(order.batchId ?? '', line, call);
}
