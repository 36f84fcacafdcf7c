/**
 * Creates the batch of a part at its vendor, once. A process that creates it notes so before; if it dies, that doubt is
 * cleared up by the vendor before another batch is created (docs/decisions/0039).
 */
import { randomUUID } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import { mayBeBilled } from '../../contracts/may-be-billed.ts';
import type { BatchSpec } from '../../engine/batches/batch-store.ts';
import type { Part, PartState, VendorRef } from '../../engine/batches/handover.ts';
import type {
  EncodedLine,
  ProviderBatches,
  SubmissionName,
} from '../../engine/providers/provider-batches.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { notYet, vendorFailure, warnOfPart } from './vendor-failures.ts';

type Submitting = Pick<BatchDependencies, 'batches' | 'nowMs' | 'vendorBatches' | 'vendorTimes'>;

interface PartStep {
  readonly spec: BatchSpec;
  readonly part: Part;
  /** No batch is created after this: its lines are called. */
  readonly liveAtMs: number;
  /** What may be at the vendor and was not found by then is lost. */
  readonly giveUpAtMs: number;
  /** Whether a batch may still be created; else only one that may exist is looked for. */
  readonly mayCreate: boolean;
  readonly signal: AbortSignal;
  /** The lines as the vendor gets them. @returns null if one of them cannot be sent any more */
  readonly encode: () => Promise<readonly EncodedLine[] | null>;
}

export async function submitPart(dependencies: Submitting, step: PartStep): Promise<void> {
  const { batches, nowMs, vendorBatches, vendorTimes } = dependencies;
  const { spec, part } = step;
  const known = await stateOf(dependencies, step);
  if (known?.ref != null || known?.end != null || (known === undefined && !step.mayCreate)) return;
  const { provider, indexes } = part;
  const own = { provider, lines: indexes.length, atMs: nowMs() };
  const { atMs } = await batches.keepHandover(spec.batchId, `intent:${part.part}`, own);
  try {
    const vendor = vendorBatches.get(provider);
    if (vendor === undefined) throw new UnbrokenError('provider_auth', `${provider} is not configured.`);
    const name = await nameOf(dependencies, step, atMs);
    if (await isFound(dependencies, vendor, { step, name, doubts: known?.doubts ?? [] })) return;
    await create(dependencies, vendor, { step, name });
  } catch (error) {
    if (nowMs() < step.giveUpAtMs) throw vendorFailure(error, provider, vendorTimes.pollMs);
    warn('a batch of a provider is given up: it may exist', step);
    const message = 'It was not known whether the provider had this batch.';
    await batches.keepHandover(spec.batchId, `end:${part.part}`, { state: 'lost', message });
  }
}

async function stateOf({ batches }: Submitting, { spec, part }: PartStep): Promise<PartState | undefined> {
  return (await batches.handover(spec.batchId)).parts.find((other) => other.part === part.part);
}

async function nameOf(
  { batches }: Submitting,
  { spec, part: { part, indexes } }: PartStep,
  intendedAtMs: number,
): Promise<SubmissionName> {
  const open = await batches.open(spec.owner);
  const otherIds = open.flatMap(({ spec: { batchId }, handover }) =>
    // Another process may have noted the one that is looked for in this moment.
    (handover?.parts ?? []).flatMap((other) =>
      other.ref === null || (batchId === spec.batchId && other.part === part) ? [] : [other.ref.vendorId],
    ),
  );
  return { handoverId: spec.batchId, part, indexes, intendedAtMs, otherIds: new Set(otherIds) };
}

interface Named {
  readonly step: PartStep;
  readonly name: SubmissionName;
}

/** @throws a failure, if it may be there and its vendor does not say yet */
async function isFound(
  dependencies: Submitting,
  vendor: ProviderBatches,
  { step, name, doubts }: Named & Pick<PartState, 'doubts'>,
): Promise<boolean> {
  if (doubts.length === 0) return false;
  const found = await vendor.find(name, step.signal);
  if (found.found === 'yes') {
    await noteRef(dependencies, vendor, { step, ref: found.ref });
    return true;
  }
  if (found.found === 'no') {
    await dependencies.batches.dropDoubts(step.spec.batchId, doubts);
    return false;
  }
  const { pollMs } = dependencies.vendorTimes;
  if (dependencies.nowMs() < step.giveUpAtMs) {
    throw notYet(`${vendor.name} may have this batch already; it will be known once that one ends.`, pollMs);
  }
  throw new UnbrokenError('provider_response_lost', 'A batch that may be this one has not ended.');
}

/** Nothing of it is at the vendor. */
async function create(
  dependencies: Submitting,
  vendor: ProviderBatches,
  { step, name }: Named,
): Promise<void> {
  const { batches, nowMs } = dependencies;
  const { spec, part, liveAtMs, mayCreate, signal } = step;
  if (!mayCreate || nowMs() >= liveAtMs)
    return refuse(dependencies, step, 'The provider did not take it in time.');
  const lines = await step.encode();
  if (lines === null) return refuse(dependencies, step, 'The input of a line is not stored any more.');
  const doubt = `doubt:${part.part}:${randomUUID()}` as const;
  await batches.keepHandover(spec.batchId, doubt, { atMs: nowMs() });
  try {
    const ref = await vendor.submit(name, lines, signal);
    await noteRef(dependencies, vendor, { step, ref });
  } catch (error) {
    if (!(error instanceof UnbrokenError) || mayBeCreated(error)) throw error;
    // The vendor has refused it, or never got it.
    await batches.dropDoubts(spec.batchId, [doubt]);
    if (error.entry.retryable) throw error;
    await refuse(dependencies, step, error.message);
  }
}

/** A server that fails may have created it before. */
function mayBeCreated(error: UnbrokenError): boolean {
  return mayBeBilled(error) || error.code === 'provider_unavailable';
}

async function refuse({ batches }: Submitting, step: PartStep, message: string): Promise<void> {
  warn('lines are called: their provider did not take them as a batch', step);
  await batches.keepHandover(step.spec.batchId, `end:${step.part.part}`, { state: 'refused', message });
}

/** A batch that another process has created meanwhile stays; this one is ended. */
async function noteRef(
  { batches }: Submitting,
  vendor: ProviderBatches,
  { step, ref }: { readonly step: PartStep; readonly ref: VendorRef },
): Promise<void> {
  const kept = await batches.keepHandover(step.spec.batchId, `ref:${step.part.part}`, ref);
  if (kept.vendorId !== ref.vendorId) await vendor.cancel(ref, step.signal);
}

function warn(message: string, { spec: { batchId }, part: { part, provider } }: PartStep): void {
  warnOfPart(message, { batchId, provider, part });
}
