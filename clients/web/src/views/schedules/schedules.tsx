/** What starts by the clock: when each schedule runs next, what it has started, and its switches. */
import { useCallback, useRef, useState } from 'preact/hooks';
import type { ScheduleView } from '../../../../../contracts/schedules.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { clientWith } from '../../session.ts';
import { POLL_MS, usePolled } from '../../use-polled.ts';
import { Empty, Failure, Loading } from '../parts.tsx';
import { type ScheduleAction, ScheduleTable } from './schedule-table.tsx';
import { nameOf } from './schedule-words.ts';

/** Each schedule of the answer is a question to Temporal. */
const IDLE_MS = 30_000;
/** What was started shows up soon after an action. */
const SETTLES_MS = 12_000;

export function Schedules() {
  const load = useCallback(() => clientWith().schedules.list(), []);
  const actedAtMs = useRef(0);
  const everyMs = useCallback(() => (Date.now() - actedAtMs.current < SETTLES_MS ? POLL_MS : IDLE_MS), []);
  const { data: schedules, error, reload } = usePolled(load, everyMs);
  const [failure, setFailure] = useState<Error | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [toDelete, setToDelete] = useState<ScheduleView | null>(null);
  const acted = () => {
    actedAtMs.current = Date.now();
    reload();
  };
  const act = async (schedule: ScheduleView, action: ScheduleAction) => {
    if (action === 'delete') {
      setToDelete(schedule);
      return;
    }
    setBusy(schedule.id);
    setFailure(null);
    try {
      await clientWith().schedules[action](schedule.id);
    } catch (cause) {
      setFailure(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setBusy(null);
      acted();
    }
  };
  const remove = async ({ id }: ScheduleView) => {
    await clientWith().schedules.delete(id);
    setToDelete(null);
    acted();
  };
  return (
    <section class="card wide" aria-labelledby="schedules-title">
      <h1 id="schedules-title">Schedules</h1>
      {error !== null && <Failure error={error} />}
      {failure !== null && <Failure error={failure} />}
      {schedules === null && error === null && <Loading what="schedules" />}
      {schedules?.length === 0 && (
        <Empty title="None yet.">
          A schedule starts a generation, a job or a batch by the clock:{' '}
          <code>npx unbroken schedules add schedule.yaml</code>
        </Empty>
      )}
      {schedules !== null && schedules.length > 0 && (
        <ScheduleTable schedules={schedules} busy={busy} onAction={act} />
      )}
      {toDelete !== null && (
        <Confirm
          title={`Delete ${nameOf(toDelete)}?`}
          action="Delete the schedule"
          onConfirm={() => remove(toDelete)}
          onClose={() => setToDelete(null)}
        >
          <p>It starts nothing any more. What it has started continues. This cannot be undone.</p>
        </Confirm>
      )}
    </section>
  );
}
