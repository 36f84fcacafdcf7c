/** What waits for a person: its text, and the decision. */
import { useId, useState } from 'preact/hooks';
import { type FoldedJob, type FoldedStep, stepStatusOf } from '../../../../../contracts/fold-job.ts';
import { LIMITS } from '../../../../../contracts/limits.ts';
import { formatTime } from '../../format.ts';
import { clientWith } from '../../session.ts';
import { Failure } from '../parts.tsx';

export function Approvals({ id, job }: { id: string; job: FoldedJob }) {
  const waiting = [...job.steps.values()].filter((step) => stepStatusOf(step, job) === 'waiting');
  return (
    <>
      {waiting.map((step) => (
        <Approval key={step.name} id={id} step={step} />
      ))}
    </>
  );
}

function Approval({ id, step: { name, approval } }: { id: string; step: FoldedStep }) {
  const titleId = useId();
  const noteId = useId();
  const [note, setNote] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const decide = async (verb: 'approve' | 'reject') => {
    setBusy(true);
    setError(null);
    try {
      await clientWith().jobs[verb](id, name, note === '' ? {} : { note });
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
      setBusy(false);
    }
  };
  return (
    <section class="card" aria-labelledby={titleId}>
      <h2 id={titleId}>{name} waits for a person</h2>
      {approval?.message != null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
        <section class="output" aria-label={`What ${name} is about`} tabIndex={0}>
          {approval.message}
        </section>
      )}
      {approval?.timeoutAt != null && (
        <p class="hint">Without a decision, the pipeline decides at {formatTime(approval.timeoutAt)}.</p>
      )}
      <div class="field">
        <label for={noteId}>
          Note <span class="optional">(optional)</span>
        </label>
        <input
          id={noteId}
          value={note}
          maxLength={LIMITS.approvalNoteChars}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </div>
      {error !== null && <Failure error={error} />}
      <div class="row actions">
        <button type="button" class="main" disabled={isBusy} onClick={() => decide('approve')}>
          Approve
        </button>
        <button type="button" class="bad" disabled={isBusy} onClick={() => decide('reject')}>
          Reject
        </button>
      </div>
    </section>
  );
}
