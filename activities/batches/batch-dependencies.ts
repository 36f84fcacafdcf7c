/** What the steps of batches need beside the ports of a generation. */
import type { BatchEndpoint, LineStep } from '../../contracts/batches.ts';
import type { BatchLine } from '../../engine/batches/batch-line.ts';
import type { BatchObjects } from '../../engine/batches/batch-objects.ts';
import type { BatchSpec, BatchStore } from '../../engine/batches/batch-store.ts';
import type { CheckedFile } from '../../engine/batches/check-lines.ts';
import type { PartPlan } from '../../engine/batches/handover.ts';
import type { HandoverObjects } from '../../engine/batches/handover-objects.ts';
import type { LineFormats } from '../../engine/batches/line-formats.ts';
import type { FileStore } from '../../engine/files/file-store.ts';
import type { ProviderBatches } from '../../engine/providers/provider-batches.ts';

export interface BatchDependencies {
  readonly batches: BatchStore;
  readonly batchObjects: BatchObjects;
  readonly files: FileStore;
  readonly lineFormats: LineFormats;
  /** Reads the input of a batch once, as a stream. @throws not_found */
  readonly checkInput: (spec: BatchSpec) => Promise<CheckedFile>;
  /** @throws not_found, invalid_json */
  readonly readLine: (bytes: Uint8Array, index: number, endpoint: BatchEndpoint) => BatchLine;
  /** The id of a file of results: the same whenever it is asked for. */
  readonly resultFileId: (batchId: string, file: 'output' | 'error') => string;
  /** Whether the key that pays is still valid. */
  readonly mayPayBatch: (spec: BatchSpec) => Promise<boolean>;
  /** The vendors' own batches, by the name of the provider. */
  readonly vendorBatches: ReadonlyMap<string, ProviderBatches>;
  readonly vendorTimes: VendorTimes;
  readonly handoverObjects: HandoverObjects;
  /** A plan without lines. */
  readonly planParts: () => PartPlan;
  readonly nowMs: () => number;
}

interface VendorTimes {
  /** How often a vendor is asked whether its batch has ended. */
  readonly pollMs: number;
  /** How long a vendor may take to end a batch early. */
  readonly cancelMs: number;
  /** How long a line takes that is called. */
  readonly liveLineMs: number;
}

export async function lineOf(
  { batchObjects, readLine }: Pick<BatchDependencies, 'batchObjects' | 'readLine'>,
  { inputKey, endpoint }: BatchSpec,
  { line, from, until }: Pick<LineStep, 'line' | 'from' | 'until'>,
): Promise<BatchLine> {
  return readLine(await batchObjects.readInput(inputKey, from, until), line, endpoint);
}
