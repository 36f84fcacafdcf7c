/**
 * Finds reservations that no run will settle: an operator terminated the run, Temporal lost it, or the process that
 * called for embeddings died. Temporal is asked about every open reservation; the log of an orphan says what to settle.
 *
 * Live work, too, may have a reservation without a run: embeddings have no run, and a generation may reserve before
 * Temporal has recorded its run. So a reservation without a run must be older than any such work.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { EMBEDDINGS_ID_PREFIX } from '../../contracts/names.ts';
import type { OpenReservation } from '../../engine/budget/budget-accounts.ts';
import { UNKNOWN_END } from '../../engine/budget/ledger.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { endLog } from './end-log.ts';
import { readView } from './generation-view.ts';
import { ifRunExists } from './if-run-exists.ts';

type Dependencies = Pick<ApiDependencies, 'accounts' | 'budget' | 'flightMembers' | 'log' | 'temporal'>;

const LOOKUPS_AT_ONCE = 32;

/** @returns the ids of the generations and embeddings calls that are orphans; with `repair` they are settled now. */
export async function releaseOrphans(
  dependencies: Dependencies,
  tenant: string,
  { repair }: { repair: boolean },
): Promise<readonly string[]> {
  const { accounts } = dependencies;
  if (repair) await accounts.dropExpired(tenant);
  const open = await accounts.open(tenant);
  const orphans: string[] = [];
  for (let first = 0; first < open.length; first += LOOKUPS_AT_ONCE) {
    const reservations = open.slice(first, first + LOOKUPS_AT_ONCE);
    const suspects = await Promise.all(
      reservations.map((reservation) => isOrphan(dependencies, tenant, reservation)),
    );
    for (const [index, { generationId }] of reservations.entries()) {
      if (suspects[index] !== true) continue;
      // Checked again: the run may have settled and ended meanwhile, or one with the same key may have started.
      const current = await accounts.reservationOf(tenant, generationId);
      if (current === null || !(await isOrphan(dependencies, tenant, current))) continue;
      orphans.push(generationId);
      if (repair) await settleOrphan(dependencies, current);
    }
  }
  return orphans;
}

async function isOrphan(
  { temporal }: Dependencies,
  tenant: string,
  { generationId, reservedAtMs, heldBy }: OpenReservation,
): Promise<boolean> {
  const isOld = Date.now() - reservedAtMs > LIMITS.orphanAfterMs;
  if (generationId.startsWith(EMBEDDINGS_ID_PREFIX)) return isOld;
  const runOf = (id: string) =>
    ifRunExists(temporal.workflow, { tenant, generationId: id }, (handle) => handle.describe());
  const run = await runOf(generationId);
  // A line that waits at a vendor has no run before its batch has the answer, for a day or longer.
  if (run === null) return isOld && (heldBy === null || (await runOf(heldBy))?.status.name !== 'RUNNING');
  if (run.status.name === 'RUNNING') return false;
  // A run that ended before the reservation was made belongs to an earlier generation with the same key.
  return isOld || (run.closeTime !== undefined && run.closeTime.getTime() > reservedAtMs);
}

async function settleOrphan(dependencies: Dependencies, reservation: OpenReservation): Promise<void> {
  const { budget, log } = dependencies;
  const { generationId, owner } = reservation;
  if (generationId.startsWith(EMBEDDINGS_ID_PREFIX)) {
    // It is unknown whether the call was answered, so it counts as billed.
    const { reservedTokens: inputTokens, reservedMicroUsd: costMicroUsd } = reservation;
    const usage = { ...NO_USAGE, inputTokens, estimated: true };
    const call = { attempt: 1, provider: null, model: null, counted: UNKNOWN_END };
    await budget.settle({ ...owner, generationId, usage, costMicroUsd, ...call });
    return;
  }
  const isEnded = await endLog(dependencies, generationId, {
    code: 'internal',
    message: 'The run of this generation was terminated.',
  });
  // Its leader is about to end; the next repair settles it.
  if (!isEnded) return;
  const view = await readView(log, generationId, { withText: false });
  await budget.settle({
    ...owner,
    generationId,
    usage: { ...(view?.usage ?? NO_USAGE), estimated: true },
    costMicroUsd: view?.costMicroUsd ?? 0,
    counted:
      view?.status === 'completed' ? { ...UNKNOWN_END, status: 'completed', failures: [] } : UNKNOWN_END,
    attempt: view?.attempts ?? 0,
    provider: view?.provider ?? null,
    model: view?.model ?? null,
  });
}
