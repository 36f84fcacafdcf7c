/** Pipelines, a few at a time: each is started, approved where it asks for that, and watched until its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UnbrokenClient } from '../../../clients/typescript/index.ts';
import type { JobView } from '../../../contracts/jobs.ts';
import type { Callers } from './callers.ts';
import { APPROVAL, type PlannedJob, pipelineOf } from './plan.ts';

const AT_ONCE = 3;
const POLL_MS = 700;
const ENDED: readonly JobView['status'][] = ['completed', 'failed', 'cancelled'];

export interface RunJob {
  readonly plan: PlannedJob;
  readonly view: JobView;
  /** The generations of each step, and of which element of `foreach`. */
  readonly generations: readonly StepGeneration[];
}

interface StepGeneration {
  readonly step: string;
  readonly item: number | null;
  readonly generationId: string;
}

export async function runJobs(
  callers: Callers<UnbrokenClient>,
  plans: readonly PlannedJob[],
  webhook: { readonly url: string; readonly secret: string },
  onEnd: (ended: number) => void,
): Promise<readonly { readonly plan: PlannedJob; readonly view: JobView }[]> {
  const ended: { plan: PlannedJob; view: JobView }[] = [];
  const waiting = [...plans];
  const lane = async () => {
    for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) {
      ended.push({ plan, view: await runJob(callers, plan, webhook) });
      onEnd(ended.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return ended;
}

async function runJob(
  callers: Callers<UnbrokenClient>,
  plan: PlannedJob,
  webhook: { readonly url: string; readonly secret: string },
): Promise<JobView> {
  const order = { definition: pipelineOf(plan), input: { topic: plan.topic }, webhook };
  const { id } = await callers.ask('a job', ({ jobs }) => jobs.run(order, { idempotencyKey: plan.name }));
  for (;;) {
    const view = await callers.ask('a job', ({ jobs }) => jobs.get(id));
    if (ENDED.includes(view.status)) return view;
    // A repeated approval changes nothing: the first decision counts.
    if (view.status === 'waiting') await callers.ask('an approval', ({ jobs }) => jobs.approve(id, APPROVAL));
    await sleep(POLL_MS);
  }
}

/** What the API shows of a job at the end. */
export async function readJob(
  callers: Callers<UnbrokenClient>,
  { plan, view }: Pick<RunJob, 'plan' | 'view'>,
): Promise<RunJob> {
  const generations: StepGeneration[] = [];
  for (const { name } of view.steps) {
    const detail = await callers.ask('a step', ({ jobs }) => jobs.step(view.id, name));
    for (const { item, generationId } of detail.generations)
      if (generationId !== null) generations.push({ step: name, item, generationId });
  }
  return { plan, view, generations };
}
