/** What a request in OpenAI's format asks for, and the file that it names. */
import { type BatchCreate, windowMs } from '../../contracts/batch-request.ts';
import type { BatchMode } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { BatchSpec } from '../../engine/batches/batch-store.ts';
import type { StoredFile } from '../../engine/files/file-store.ts';
import { objectKeyOf } from '../../engine/files/redis-file-store.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { sealWebhook } from '../generations/seal-webhook.ts';
import { findFile } from '../wires/openai-files/routes.ts';

interface RequestedBatch {
  readonly batchId: string;
  readonly request: Pick<
    BatchCreate,
    'endpoint' | 'completion_window' | 'metadata' | 'output_expires_after' | 'webhook'
  >;
  /** That of its `input_file_id`. */
  readonly input: StoredFile;
  /** Those that hold for each line. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestHash: string;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
  /** Absent: `live`. */
  readonly mode?: BatchMode;
}

type SpecDependencies = Pick<ApiDependencies, 'config' | 'webhookEndpoints'>;

/** @throws invalid_request */
export async function batchSpec(
  dependencies: SpecDependencies,
  caller: Caller,
  { batchId, request, input, headers, requestHash, webhook: sealed, mode }: RequestedBatch,
): Promise<BatchSpec> {
  const { tenant, user, team, keyId, scopes } = caller;
  const { completion_window: completionWindow, output_expires_after: expires } = request;
  const webhook = request.webhook == null ? sealed : await sealWebhook(dependencies, tenant, request.webhook);
  return {
    tenant,
    batchId,
    owner: { tenant, user, team, keyId, scopes },
    format: 'openai',
    endpoint: request.endpoint,
    inputKey: objectKeyOf(input),
    inputFileId: input.fileId,
    completionWindow,
    deadlineAtMs: Date.now() + windowMs(completionWindow),
    outputKeptMs: expires == null ? dependencies.config.files.keptMs : expires.seconds * 1_000,
    headers,
    ...(mode === undefined ? {} : { mode }),
    metadata: request.metadata ?? null,
    ...(webhook === undefined ? {} : { webhook }),
    requestHash,
  };
}

/** A file whose lines the caller may send. @throws invalid_request, not_found */
export async function findInput(
  dependencies: Pick<ApiDependencies, 'files'>,
  caller: Caller,
  fileId: string,
): Promise<StoredFile> {
  const details = { param: 'input_file_id' };
  const file = await findFile(dependencies, caller, fileId).catch((error: unknown) => {
    if (!(error instanceof UnbrokenError)) throw error;
    throw new UnbrokenError(error.code, error.message, { details });
  });
  if (file.purpose === 'batch') return file;
  throw new UnbrokenError('invalid_request', 'input_file_id: expected a file with the purpose "batch".', {
    details,
  });
}
