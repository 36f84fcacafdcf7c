/** The batch that a tick of a schedule creates: as `POST /v1/batches` does, except that the tick runs it. */
import type { ScheduledBatch } from '../../contracts/batch-request.ts';
import type { BatchOrder } from '../../contracts/batches.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { hashRequest } from '../generations/generation-id.ts';
import { batchSpec, findInput } from './batch-spec.ts';
import { batchMode, lineHeaders } from './line-headers.ts';
import { keepInput } from './scheduled-input.ts';
import { assertMayOpen, createBatch, orderOf } from './start-batch.ts';

interface BatchToOrder {
  readonly batchId: string;
  readonly request: ScheduledBatch;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
}

type OrderDependencies = Pick<ApiDependencies, 'batches' | 'config' | 'files' | 'webhookEndpoints'>;

/** A repeated call with the same id changes nothing. @throws not_found, rate_limited, invalid_request */
export async function orderBatch(
  dependencies: OrderDependencies,
  owner: Caller,
  { batchId, request, webhook }: BatchToOrder,
): Promise<BatchOrder> {
  const known = await dependencies.batches.head(batchId);
  if (known !== null) return orderOf(dependencies, known);
  await assertMayOpen(dependencies, owner);
  const sent: Readonly<Record<string, string | undefined>> = request.headers ?? {};
  const sentHeaders = { get: (name: string) => sent[name] };
  const headers = lineHeaders(sentHeaders);
  const mode = batchMode(sentHeaders, dependencies.config.batches.mode);
  // The id stands for the request.
  const requestHash = hashRequest(batchId);
  const sealed = webhook === undefined ? {} : { webhook };
  const input = await findInput(dependencies, owner, request.input_file_id);
  await keepInput(dependencies, input);
  const requested = { batchId, request, input, headers, requestHash, ...sealed, ...mode };
  const spec = await batchSpec(dependencies, owner, requested);
  return orderOf(dependencies, await createBatch(dependencies, spec));
}
