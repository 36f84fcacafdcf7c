/** How a job or a step stands. */
import type { JobStatus, JobStepView } from '../../../../../contracts/jobs.ts';
import { Badge, type Tone } from '../parts.tsx';

const JOB_TONES: Readonly<Record<JobStatus, Tone>> = {
  running: 'good',
  waiting: 'late',
  paused: 'late',
  completed: 'good',
  failed: 'bad',
  cancelled: 'late',
};

export const STEP_TONES: Readonly<Record<JobStepView['status'], Tone>> = {
  pending: 'plain',
  running: 'good',
  waiting: 'late',
  completed: 'good',
  reused: 'good',
  skipped: 'plain',
  failed: 'bad',
  cancelled: 'late',
};

export function JobStatusBadge({ status }: { status: JobStatus }) {
  return <Badge tone={JOB_TONES[status]}>{status}</Badge>;
}

export function StepStatusBadge({ status }: { status: JobStepView['status'] }) {
  return <Badge tone={STEP_TONES[status]}>{status}</Badge>;
}
