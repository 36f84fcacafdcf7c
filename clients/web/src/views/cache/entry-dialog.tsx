/** A stored answer in full. */
import { useCallback, useState } from 'preact/hooks';
import type { ComplaintView, WholeCachedEntry } from '../../../../../contracts/cached-entries.ts';
import { HOUR_MS } from '../../../../../contracts/time.ts';
import { formatCount, formatTime } from '../../format.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { linkTo } from '../../router.ts';
import { canAdminister, getJson, sendJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Fact, Failure, Loading } from '../parts.tsx';

/** An entry never changes; it can only expire, and get complaints. */
const RELOAD_MS = HOUR_MS;

interface EntryDialogProperties {
  readonly id: string;
  readonly onLike: () => void;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

export function EntryDialog({ id, onLike, onDelete, onClose }: EntryDialogProperties) {
  const load = useCallback(
    () => getJson<WholeCachedEntry>(`/v1/cache/entries/${encodeURIComponent(id)}`),
    [id],
  );
  const { data: entry, error, reload } = usePolled(load, RELOAD_MS);
  return (
    <Dialog title="Stored answer" onClose={onClose}>
      {error !== null && <Failure error={error} />}
      {entry === null && error === null && <Loading what="the answer" />}
      {entry !== null && (
        <>
          <h3>{entry.questions.length > 1 ? 'Questions' : 'Question'}</h3>
          {entry.questions.map((question, index) => (
            <Quote key={index} name={`Question ${index + 1}`} text={question} />
          ))}
          <h3>Answer</h3>
          <Quote name="Answer" text={entry.answer} />
          <Complaints complaints={entry.quarantined} onLifted={reload} />
          <dl class="facts">
            <Fact name="Model">
              {entry.provider}/{entry.model}
            </Fact>
            <Fact name="User">{entry.user}</Fact>
            <Fact name="Tokens">{formatCount(entry.tokens)}</Fact>
            <Fact name="Stored">{formatTime(entry.storedAt)}</Fact>
            <Fact name="Expires">{formatTime(entry.expiresAt)}</Fact>
            {entry.generation !== null && (
              <Fact name="Run">
                <a href={linkTo('runs', entry.generation)}>{entry.generation}</a>
              </Fact>
            )}
          </dl>
        </>
      )}
      <div class="row actions">
        {entry !== null && (
          <button type="button" onClick={onLike}>
            Find similar
          </button>
        )}
        {entry !== null && (
          <button type="button" class="bad" onClick={onDelete}>
            Delete
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

interface ComplaintsProperties {
  readonly complaints: readonly ComplaintView[];
  readonly onLifted: () => void;
}

/** The questions that never get this answer again. */
function Complaints({ complaints, onLifted }: ComplaintsProperties) {
  const [failure, setFailure] = useState<Error | null>(null);
  if (complaints.length === 0) return null;
  const lift = async ({ entryId, generation }: ComplaintView) => {
    const path = `/v1/cache/entries/${encodeURIComponent(entryId)}/complaints/${encodeURIComponent(generation)}`;
    try {
      await sendJson('DELETE', path);
      onLifted();
    } catch (error) {
      setFailure(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return (
    <>
      <h3>Never given to</h3>
      {failure !== null && <Failure error={failure} />}
      <ul>
        {complaints.map((complaint) => (
          <li key={complaint.generation}>
            {complaint.questions?.at(-1) ?? 'a question that is not stored any more'}{' '}
            <span class="hint">
              {complaint.user}, {formatTime(complaint.at)}
            </span>{' '}
            {canAdminister.value && (
              <button type="button" class="small" onClick={() => lift(complaint)}>
                Lift<span class="visually-hidden"> the complaint of {complaint.user}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Quote({ name, text }: { name: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="quote" tabIndex={0} aria-label={name}>
      {text}
    </section>
  );
}
