/**
 * Reservations that nobody will settle: their run was terminated by hand, or lost with its server, or the process that
 * called for embeddings died. Temporal is asked for each that is open; what a log tells of one settles it.
 *
 * Live work has reservations too that no run answers for: embeddings have none, and a generation may reserve while
 * Temporal still writes its run down. So a reservation without a run of its own must be older than any of these.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE, totalTokens } from '../../contracts/money.ts';
import { EMBEDDINGS_ID_PREFIX } from '../../contracts/names.ts';
import type { OpenReservation } from '../../engine/budget/budget-accounts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { endLog } from './end-log.ts';
import { readView } from './generation-view.ts';
import { ifRunExists } from './if-run-exists.ts';

type Needed = Pick<ApiDependencies, 'accounts' | 'budget' | 'flightMembers' | 'log' | 'temporal'>;

/** Runs that are asked for at once. */
const ASKED_AT_ONCE = 32;

/** @returns the generations (and calls for embeddings) that no run will settle; with `repair` they are settled now. */
export async function releaseOrphans(
  dependencies: Needed,
  tenant: string,
  { repair }: { repair: boolean },
): Promise<readonly string[]> {
  const { accounts } = dependencies;
  if (repair) await accounts.dropExpired(tenant);
  const open = await accounts.open(tenant);
  const orphans: string[] = [];
  for (let first = 0; first < open.length; first += ASKED_AT_ONCE) {
    const asked = open.slice(first, first + ASKED_AT_ONCE);
    const found = await Promise.all(asked.map((one) => isOrphan(dependencies, tenant, one)));
    for (const [index, reservation] of asked.entries()) {
      if (found[index] !== true) continue;
      // A run that ended while Temporal was asked has settled before it ended; one with the same key may have begun.
      const now = await accounts.reservationOf(tenant, reservation.generationId);
      if (now === null || !(await isOrphan(dependencies, tenant, now))) continue;
      orphans.push(now.generationId);
      if (repair) await settleOrphan(dependencies, now);
    }
  }
  return orphans;
}

async function isOrphan(
  { temporal }: Needed,
  tenant: string,
  { generationId, reservedAtMs }: OpenReservation,
): Promise<boolean> {
  const isOld = Date.now() - reservedAtMs > LIMITS.orphanAfterMs;
  if (generationId.startsWith(EMBEDDINGS_ID_PREFIX)) return isOld;
  const name = { tenant, generationId };
  const run = await ifRunExists(temporal.workflow, name, (handle) => handle.describe());
  if (run === null) return isOld;
  if (run.status.name === 'RUNNING') return false;
  // A run that had ended before the reservation was made is an earlier one with the same key.
  return isOld || (run.closeTime !== undefined && run.closeTime.getTime() > reservedAtMs);
}

async function settleOrphan(dependencies: Needed, reservation: OpenReservation): Promise<void> {
  const { budget, log } = dependencies;
  const { generationId, owner } = reservation;
  if (generationId.startsWith(EMBEDDINGS_ID_PREFIX)) {
    // Nobody knows whether the call was answered: what left has to be taken as billed.
    const { reservedTokens: tokens, reservedMicroUsd: costMicroUsd } = reservation;
    const about = { estimated: true, attempt: 1, provider: null, model: null };
    await budget.settle({ ...owner, generationId, tokens, costMicroUsd, ...about });
    return;
  }
  const isEnded = await endLog(dependencies, generationId, {
    code: 'internal',
    message: 'The run of this generation was ended by hand.',
  });
  // It follows a leader that is about to end: the next repair settles it.
  if (!isEnded) return;
  const view = await readView(log, generationId, { withText: false });
  await budget.settle({
    ...owner,
    generationId,
    tokens: totalTokens(view?.usage ?? NO_USAGE),
    costMicroUsd: view?.costMicroUsd ?? 0,
    estimated: true,
    attempt: view?.attempts ?? 0,
    provider: view?.provider ?? null,
    model: view?.model ?? null,
  });
}
