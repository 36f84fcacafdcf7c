/**
 * `/v1/files`: the files of batches, those that users upload and those that batches write. Source: the official client,
 * resources/files.
 */
import { pipeline } from 'node:stream/promises';
import type { Request, Response, Router } from 'express';
import type { FileObject } from 'openai/resources/files';
import { z } from 'zod';
import { BATCH_LIMITS } from '../../../contracts/batch-limits.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { StoredFile } from '../../../engine/files/file-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn, requireScope, seesTenant } from '../../access/authenticate.ts';
import { mayRead } from '../../access/may-read.ts';
import { scheduleThatReads } from '../../batches/scheduled-input.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { isDisconnect } from '../../http/disconnect.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema, parseQuery } from '../../http/read-request.ts';
import { storeUpload } from './upload.ts';

const ID = /^file-[0-9a-f]{32}$/;

export const filesQuerySchema = z.object({
  limit: pageLimitSchema({ most: BATCH_LIMITS.filesPerPage, byDefault: BATCH_LIMITS.filesOnFirstPage }),
  after: z.string().max(LIMITS.idChars).optional().describe('The id of the last file of the page before'),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().max(LIMITS.idChars).optional(),
});

/** Before the routes whose body is read as a whole. */
export function addUploadRoute(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/files', requireScope('generate'), async (request, response) => {
    const caller = callerIn(response);
    if (caller.onlyReads === true) throw new UnbrokenError('forbidden', 'A ticket opens streams only.');
    await dependencies.files.removeExpired();
    response.json(fileObject(await storeUpload(dependencies, caller, request)));
  });
}

export function addFileRoutes(v1: Router, dependencies: ApiDependencies): void {
  const { files } = dependencies;
  v1.get('/files', async (request, response) => {
    response.json(await listFiles(dependencies, callerIn(response), request));
  });
  v1.get('/files/:id', async (request, response) => {
    response.json(fileObject(await findFile(dependencies, callerIn(response), request.params.id)));
  });
  v1.get('/files/:id/content', async (request, response) => {
    await sendFile(
      dependencies,
      response,
      await findFile(dependencies, callerIn(response), request.params.id),
    );
  });
  v1.delete('/files/:id', async (request, response) => {
    const caller = callerIn(response);
    const file = await findFile(dependencies, caller, request.params.id);
    await refuseIfRead(dependencies, caller, file);
    await files.remove(file);
    response.json({ id: file.fileId, object: 'file', deleted: true });
  });
}

async function listFiles({ files }: ApiDependencies, caller: Caller, request: Request) {
  const { limit, after, order, purpose } = parseQuery(request, filesQuerySchema);
  const { tenant } = caller;
  const owner = { tenant, user: seesTenant(caller) ? null : caller.user };
  const last = after === undefined ? null : await findFile({ files }, caller, after);
  const known = purpose === 'batch' || purpose === 'batch_output' ? purpose : undefined;
  const page =
    purpose !== undefined && known === undefined
      ? { files: [], hasMore: false }
      : await files.list(owner, { limit, after: last, order, purpose: known });
  return { object: 'list', ...idPage(page.files.map(fileObject), page) };
}

/** One that the caller may read. @throws not_found */
export async function findFile(
  { files }: Pick<ApiDependencies, 'files'>,
  caller: Caller,
  fileId: string,
): Promise<StoredFile> {
  const isSought = ID.test(fileId) && caller.onlyGeneration === undefined;
  const file = isSought ? await files.find({ tenant: caller.tenant, fileId }) : null;
  if (file !== null && mayRead(caller, file)) return file;
  throw new UnbrokenError('not_found', `There is no file ${fileId}.`);
}

/** Sends a file as it is read. */
export async function sendFile(
  { files }: Pick<ApiDependencies, 'files'>,
  response: Response,
  file: StoredFile,
  contentType = 'application/octet-stream',
): Promise<void> {
  response.set({ 'content-type': contentType, 'content-disposition': 'attachment' });
  response.setHeader('content-length', file.bytes);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  const download = await files.download(file);
  if (download === null) throw new UnbrokenError('not_found', `The bytes of ${file.fileId} are gone.`);
  try {
    await pipeline(download.body, response);
  } catch (error) {
    if (!isDisconnect(error, response)) throw error;
  }
}

/** A batch reads its lines while it runs, and a schedule has further batches. @throws batch_conflict */
async function refuseIfRead(
  dependencies: Pick<ApiDependencies, 'batches' | 'schedules'>,
  caller: Caller,
  file: StoredFile,
): Promise<void> {
  const ofOwner = await dependencies.batches.open(file);
  // Batches of earlier releases are not noted by their file.
  const earlier = ofOwner.filter(({ spec }) => spec.inputFileId === file.fileId);
  const readers = [...(await dependencies.batches.readersOf(file)), ...earlier];
  if (readers.length > 0) {
    const own = readers.find(({ spec }) => mayRead(caller, spec.owner));
    throw new UnbrokenError(
      'batch_conflict',
      own === undefined
        ? 'A batch of another user reads this file; wait for its end, or have it cancelled.'
        : `The batch ${own.spec.batchId} reads this file; cancel it, or wait for its end.`,
    );
  }
  const schedule = await scheduleThatReads(dependencies, file);
  if (schedule === null) return;
  throw new UnbrokenError(
    'batch_conflict',
    mayRead(caller, schedule.owner)
      ? `The batches of the schedule ${schedule.scheduleId} read this file; delete the schedule first.`
      : 'The batches of a schedule of another user read this file; have the schedule deleted first.',
  );
}

function fileObject(file: StoredFile): FileObject {
  return {
    id: file.fileId,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.createdAt / 1_000),
    expires_at: Math.floor(file.expiresAt / 1_000),
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
  };
}
