/** Replaces all workers by those of another version, as an operator does: docs/operations.md, "Upgrade by version". */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../../platform/config/load-config.ts';
import {
  readDeployment,
  setCurrentVersion,
  withTemporal,
} from '../../../tools/services/worker-deployment.ts';
import type { Seat } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Timeline } from '../matrix/timeline.ts';
import type { ClusterStage } from './cluster-stage.ts';

/** A generation may take a minute, and each of Temporal's nodes may be down meanwhile. */
const DRAINED_WITHIN_MS = 240_000;
const LOOK_AGAIN_MS = 1_000;

/** @param from the version that the workers have now; null: none. */
export async function rollWorkers(
  stage: ClusterStage,
  { from, to }: { readonly from: string | null; readonly to: string },
  timeline: Timeline,
): Promise<void> {
  const { TEMPORAL_ADDRESS, taskQueue } = stage.direct;
  const { temporal } = loadConfig({ TEMPORAL_ADDRESS, UNBROKEN_TASK_QUEUE: taskQueue });
  const old = [...stage.seats.worker];
  timeline.note(`starting workers of version ${to}`);
  const fresh = await stage.addWorkers(to);
  const isCurrent = () => withTemporal(temporal, (connection) => setCurrentVersion(connection, temporal, to));
  // Temporal knows a version once one of its workers has polled.
  await waitFor(`version ${to} to be current`, () => isCurrent().then(yes, no));
  timeline.note(`version ${to} is current`);
  if (from !== null) {
    const running = async () => {
      await sleep(LOOK_AGAIN_MS);
      const deployment = await withTemporal(temporal, (connection) => readDeployment(connection, temporal));
      return deployment?.versions.find(({ buildId }) => buildId === from)?.running === 0;
    };
    await waitFor(`version ${from} to run nothing`, () => running().catch(no), DRAINED_WITHIN_MS);
  }
  await Promise.all(old.map(leave));
  stage.removeWorkers(old);
  timeline.note(`${old.length} workers of ${from ?? 'no version'} have left, ${fresh.length} of ${to} work`);
}

async function leave(seat: Seat): Promise<void> {
  const code = await seat.leave();
  if (code !== 0) throw new Error(`${seat.name} ended with ${code} on SIGTERM:\n${seat.log()}`);
}

const yes = () => true;
const no = () => false;
