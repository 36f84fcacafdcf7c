import { useCallback } from 'preact/hooks';
import type { WholeCachedEntry } from '../../../../../contracts/cached-entries.ts';
import { formatCount, formatTime } from '../../format.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { linkTo } from '../../router.ts';
import { getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Fact, Failure, Loading } from '../parts.tsx';

/** An entry never changes; it can only expire. */
const RELOAD_MS = 3_600_000;

interface EntryDialogProperties {
  readonly id: string;
  readonly onLike: () => void;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

/** A stored answer in full. */
export function EntryDialog({ id, onLike, onDelete, onClose }: EntryDialogProperties) {
  const load = useCallback(
    () => getJson<WholeCachedEntry>(`/v1/cache/entries/${encodeURIComponent(id)}`),
    [id],
  );
  const { data: entry, error } = usePolled(load, RELOAD_MS);
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

function Quote({ name, text }: { name: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="quote" tabIndex={0} aria-label={name}>
      {text}
    </section>
  );
}
