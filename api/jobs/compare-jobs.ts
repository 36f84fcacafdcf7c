/** Compares two jobs step by step: what each cost, and what each wrote. */

import type { FoldedStep } from '../../contracts/fold-job.ts';
import type { JobComparison } from '../../contracts/jobs.ts';
import { asText } from '../../contracts/pipeline-values.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { stepValue } from './job-value.ts';
import { foldedJob, jobView } from './job-view.ts';

const MOST_CHARS = 64 * 1024;

type Jobs = Pick<ApiDependencies, 'jobs'>;
type StepSide = JobComparison['steps'][number]['sides'][number];

export async function compareJobs(
  dependencies: Jobs,
  heads: readonly [JobHead, JobHead],
): Promise<JobComparison> {
  const views = await Promise.all(heads.map((head) => jobView(dependencies, head, { withOutput: true })));
  const folded = await Promise.all(heads.map((head) => foldedJob(dependencies, head)));
  const names = new Set(folded.flatMap(({ steps }) => [...steps.keys()]));
  const steps: JobComparison['steps'] = [];
  // In turn: what the steps of a job wrote is up to 64 MiB.
  for (const name of names) {
    const sides = await Promise.all(
      heads.map((head, index) => sideOf(dependencies, head, folded[index]?.steps.get(name))),
    );
    const isSame = sides[0]?.text === sides[1]?.text;
    steps.push({ name, isSame, sides: sides.map((side) => ({ ...side, text: cut(side.text) })) });
  }
  return {
    jobs: views.map(({ id, status, costMicroUsd, output }) => {
      return { jobId: id, status, costMicroUsd, text: cut(output) };
    }),
    steps,
  };
}

/** With its whole text. */
async function sideOf(
  dependencies: Jobs,
  { jobId }: JobHead,
  step: FoldedStep | undefined,
): Promise<StepSide> {
  if (step === undefined) return { status: 'pending', costMicroUsd: 0, text: null };
  const value = (await stepValue(dependencies, jobId, step)) ?? null;
  const { status, costMicroUsd } = step;
  return { status, costMicroUsd, text: value === null ? null : asText(value) };
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MOST_CHARS);
}
