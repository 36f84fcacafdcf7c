/** Schedules that run by the clock meanwhile, and one whose ticks of a past time are started. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewSchedule, UnbrokenClient } from '../../../clients/typescript/index.ts';
import { type Callers, type Reach, unbrokenCallers } from './callers.ts';
import { type PlannedSchedule, tickPrompt } from './plan.ts';

export interface RunSchedule {
  readonly plan: PlannedSchedule;
  readonly id: string;
  readonly callers: Callers<UnbrokenClient>;
  /** When its creation was requested and when that was confirmed, ms since 1970. */
  readonly askedAtMs: number;
  readonly confirmedAtMs: number;
}

export async function createSchedule(
  reach: Reach,
  apiKey: string,
  plan: PlannedSchedule,
): Promise<RunSchedule> {
  const callers = unbrokenCallers(reach, apiKey);
  const askedAtMs = Date.now();
  const { id } = await callers.ask('a schedule', ({ schedules }) =>
    schedules.create(requestOf(plan), { idempotencyKey: plan.user }),
  );
  const confirmedAtMs = Date.now();
  const { backfill } = plan;
  if (backfill !== null) {
    const { from, until } = backfill;
    await callers.ask('a backfill', ({ schedules }) =>
      schedules.backfill(id, { from, until }, { idempotencyKey: plan.user }),
    );
  }
  return { plan, id, callers, askedAtMs, confirmedAtMs };
}

function requestOf(plan: PlannedSchedule): NewSchedule {
  const generation = { input: tickPrompt(plan), cache: 'off', model: 'simulated/sim-large' } as const;
  return {
    times: { everyMs: plan.everyMs, timeZone: 'UTC' },
    // A tick waits for none before it, so that each has its run.
    overlap: 'allow-all',
    isPaused: plan.backfill !== null,
    ...(plan.kind === 'job' ? { job: { definition: { steps: { one: generation } } } } : { generation }),
  };
}

/** Between two ticks, well after the last one. @returns when, ms since 1970 */
export async function pauseSchedule({ id, plan, callers }: RunSchedule): Promise<number> {
  const { everyMs } = plan;
  await sleep((everyMs * 1.5 - (Date.now() % everyMs)) % everyMs);
  const atMs = Date.now();
  await callers.ask('a pause', ({ schedules }) => schedules.pause(id));
  return atMs;
}
