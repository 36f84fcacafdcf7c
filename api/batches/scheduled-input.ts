/** The file of a schedule's batches: it does not expire while the schedule exists. */
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { StoredFile } from '../../engine/files/file-store.ts';
import type { StoredSchedule } from '../../engine/jobs/schedule-store.ts';
import type { ApiDependencies } from '../dependencies.ts';

type Schedules = Pick<ApiDependencies, 'schedules'>;

/** At the creation of the schedule, and at each tick. */
export async function keepInput({ files }: Pick<ApiDependencies, 'files'>, file: StoredFile): Promise<void> {
  const expiresAt = Date.now() + BATCH_LIMITS.scheduledFileMs;
  if (file.expiresAt < expiresAt) await files.setExpiry(file, expiresAt);
}

/** After the end of the schedule, the file is kept as a new one is. */
export async function releaseInput(
  dependencies: Schedules & Pick<ApiDependencies, 'config' | 'files'>,
  { owner: { tenant }, request }: StoredSchedule,
): Promise<void> {
  const { config, files } = dependencies;
  const fileId = request.batch?.input_file_id;
  if (fileId === undefined || (await scheduleThatReads(dependencies, { tenant, fileId })) !== null) return;
  const file = await files.find({ tenant, fileId });
  const expiresAt = Date.now() + config.files.keptMs;
  if (file !== null && file.expiresAt > expiresAt) await files.setExpiry(file, expiresAt);
}

/** @returns a schedule whose batches send the lines of this file. */
export async function scheduleThatReads(
  { schedules }: Schedules,
  { tenant, fileId }: Pick<StoredFile, 'tenant' | 'fileId'>,
): Promise<StoredSchedule | null> {
  const all = await schedules.list(tenant);
  return all.find(({ request }) => request.batch?.input_file_id === fileId) ?? null;
}
