/**
 * Erases what a user has sent, or a job: what runs is cancelled and awaited, then each place is emptied, and at last
 * the receipt is written. Whose data it is, Redis knows: this history outlives the user's data, and holds ids and
 * counts. An erasure waits for as long as a service is unreachable or a run does not end.
 */
import {
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { ERASURE_STAGES, type ErasureOrder, type ErasureStage } from '../contracts/erasure-stages.ts';
import { ERASE, MUST_HAPPEN } from './activity-options.ts';
import { outlivesVersions } from './outlives-versions.ts';

const { eraseStage } = proxyActivities<Activities>(ERASE);
const { completeErasure } = proxyLocalActivities<Activities>(MUST_HAPPEN);

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export async function erasure(order: ErasureOrder): Promise<void> {
  const { tenant, erasureId, from = ERASURE_STAGES[0] } = order;
  for (const stage of ERASURE_STAGES.slice(ERASURE_STAGES.indexOf(from))) {
    if (!(await eraseAll(order, stage))) return continueAsNew<typeof erasure>({ ...order, from: stage });
  }
  await completeErasure({ tenant, erasureId });
  setCurrentDetails('**completed**');
  upsertSearchAttributes({ UnbrokenStatus: ['completed'] });
}

/** Repeats a stage until it finds nothing more. @returns false if another run must continue: the history is long. */
async function eraseAll({ tenant, erasureId }: ErasureOrder, stage: ErasureStage): Promise<boolean> {
  for (let pass = 0; ; pass += 1) {
    const { found, pending } = await eraseStage({ tenant, erasureId, stage });
    setCurrentDetails(`**${stage}**, pass ${pass + 1}: found ${found}, waits for ${pending}`);
    if (found === 0 && pending === 0) return true;
    if (workflowInfo().continueAsNewSuggested) return false;
    if (pending > 0) await sleep(Math.min(FIRST_PAUSE_MS * 2 ** pass, LONGEST_PAUSE_MS));
  }
}

outlivesVersions(erasure);
