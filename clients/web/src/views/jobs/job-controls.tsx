/** Pauses, resumes and cancels a job. Its events show when that has happened. */
import { useState } from 'preact/hooks';
import { type FoldedJob, jobStatusOf } from '../../../../../contracts/fold-job.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { clientWith } from '../../session.ts';
import { Failure } from '../parts.tsx';

export function JobControls({ id, job }: { id: string; job: FoldedJob }) {
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  if (job.end !== null) return null;
  const isPaused = jobStatusOf(job) === 'paused';
  const steer = async (verb: 'pause' | 'resume') => {
    setBusy(true);
    setError(null);
    try {
      await clientWith().jobs[verb](id);
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setBusy(false);
    }
  };
  const cancel = async () => {
    await clientWith().jobs.cancel(id);
    setAsking(false);
  };
  return (
    <>
      {error !== null && <Failure error={error} />}
      <button
        type="button"
        class="small"
        disabled={isBusy}
        onClick={() => steer(isPaused ? 'resume' : 'pause')}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" class="small bad" onClick={() => setAsking(true)}>
        Cancel
      </button>
      {isAsking && (
        <Confirm
          title="Cancel this job?"
          action="Cancel the job"
          onConfirm={cancel}
          onClose={() => setAsking(false)}
        >
          <p>What runs is cancelled, and its partial answers are charged. What has ended is kept.</p>
        </Confirm>
      )}
    </>
  );
}
