/** Schedules as a table. */
import type { ScheduleView } from '../../../../../contracts/schedules.ts';
import { shortId } from '../../format.ts';
import { linkTo, type View } from '../../router.ts';
import { Badge, Time } from '../parts.tsx';
import { nameOf, timesOf } from './schedule-words.ts';

export type ScheduleAction = 'pause' | 'unpause' | 'trigger' | 'delete';

interface ScheduleTableProperties {
  readonly schedules: readonly ScheduleView[];
  /** The id of the schedule for which an action is under way. */
  readonly busy: string | null;
  readonly onAction: (schedule: ScheduleView, action: ScheduleAction) => void;
}

const SHOWN = 3;

/** Where the page shows what a schedule starts. */
const VIEWS_OF_KINDS: Readonly<Record<ScheduleView['kind'], View>> = {
  generation: 'runs',
  job: 'jobs',
  batch: 'batches',
};

export function ScheduleTable({ schedules, busy, onAction }: ScheduleTableProperties) {
  return (
    <table class="list">
      <caption class="visually-hidden">Schedules, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Schedule</th>
          <th scope="col">State</th>
          <th scope="col">Times</th>
          <th scope="col">Next</th>
          <th scope="col">Latest</th>
          <th scope="col">User</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => (
          <tr key={schedule.id}>
            <ScheduleCells schedule={schedule} />
            <td class="buttons">
              <Actions schedule={schedule} isBusy={busy === schedule.id} onAction={onAction} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ScheduleCells({ schedule }: { schedule: ScheduleView }) {
  const { id, description, kind, isPaused, note } = schedule;
  return (
    <>
      <th scope="row">
        {description !== null && <span class="name">{description}</span>}
        <code class={description === null ? '' : 'muted'} title={id}>
          {shortId(id)}
        </code>
      </th>
      <td data-name="State">
        <Badge tone={isPaused ? 'late' : 'good'}>{isPaused ? 'paused' : 'active'}</Badge>
        {isPaused && note !== null && note !== '' && <span class="hint block">{note}</span>}
      </td>
      <td data-name="Times">
        {timesOf(schedule)}
        <span class="hint block">starts a {kind}</span>
      </td>
      <td data-name="Next">
        <Next schedule={schedule} />
      </td>
      <td data-name="Latest">
        <Latest schedule={schedule} />
      </td>
      <td data-name="User">{schedule.user}</td>
    </>
  );
}

function Next({ schedule: { nextAt, isPaused } }: { schedule: ScheduleView }) {
  if (isPaused) return <span class="muted">when it is unpaused</span>;
  if (nextAt.length === 0) return <span class="muted">no more</span>;
  return (
    <ul class="lines">
      {nextAt.slice(0, SHOWN).map((atMs) => (
        <li key={atMs}>
          <Time at={atMs} />
        </li>
      ))}
    </ul>
  );
}

function Latest({ schedule: { runs, kind } }: { schedule: ScheduleView }) {
  if (runs.length === 0) return <span class="muted">none yet</span>;
  const view = VIEWS_OF_KINDS[kind];
  return (
    <ul class="lines">
      {runs.slice(0, SHOWN).map(({ id, scheduledAt }) => (
        <li key={id}>
          <a href={linkTo(view, id)} title={id}>
            <code>{shortId(id)}</code>
          </a>{' '}
          <span class="muted">
            <Time at={scheduledAt} />
          </span>
        </li>
      ))}
    </ul>
  );
}

interface ActionsProperties {
  readonly schedule: ScheduleView;
  readonly isBusy: boolean;
  readonly onAction: ScheduleTableProperties['onAction'];
}

function Actions({ schedule, isBusy, onAction }: ActionsProperties) {
  const buttons = [
    { action: schedule.isPaused ? 'unpause' : 'pause', label: schedule.isPaused ? 'Unpause' : 'Pause' },
    { action: 'trigger', label: 'Run now' },
    { action: 'delete', label: 'Delete' },
  ] as const;
  return (
    <>
      {buttons.map(({ action, label }) => (
        <button
          key={action}
          type="button"
          class={action === 'delete' ? 'small bad' : 'small'}
          disabled={isBusy}
          onClick={() => onAction(schedule, action)}
        >
          {label}
          <span class="visually-hidden"> {nameOf(schedule)}</span>
        </button>
      ))}
    </>
  );
}
