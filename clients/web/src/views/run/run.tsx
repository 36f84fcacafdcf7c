/** One run: how it stands, its timeline, its text with what was withdrawn, and what it was charged. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatCost, formatCount, formatDuration, formatTime, formatTokens, shortId } from '../../format.ts';
import { GenerationFollower } from '../../generation-follower.ts';
import type { GenerationState } from '../../generation-state.ts';
import { linkTo } from '../../router.ts';
import { canAdminister, clientWith, temporalLink } from '../../session.ts';
import { ExternalLink, Fact, Failure, Loading, Status } from '../parts.tsx';
import { ConnectionControls } from './connection-controls.tsx';
import { Output } from './output.tsx';
import { sentenceOf } from './sentence-of.ts';
import { Settlement } from './settlement.tsx';
import { StepChart } from './step-chart.tsx';
import { Thread } from './thread.tsx';
import { useExactTimeline } from './use-exact-timeline.ts';

export function Run({ id }: { id: string }) {
  const follower = useMemo(() => new GenerationFollower(id), [id]);
  useEffect(() => () => follower.stop(), [follower]);
  const state = follower.state.value;
  const connection = follower.connection.value;
  const timeline = useExactTimeline(state);
  const link = temporalLink(id);
  if (connection.state === 'refused' && state.lastSeq < 0) {
    return (
      <div class="stack">
        <BackToRuns />
        <section class="card">
          <h1>Run</h1>
          <Failure error={connection.error} />
        </section>
      </div>
    );
  }
  if (state.lastSeq < 0) return <Loading what="the run" />;
  return (
    <div class="stack">
      <BackToRuns />
      <header class="row title">
        <h1>
          Run <code title={id}>{shortId(id)}</code>
        </h1>
        <Status status={state.status} />
        <div class="row actions">
          {link !== null && <ExternalLink href={link}>Temporal</ExternalLink>}
          <ConnectionControls follower={follower} />
          <CancelButton state={state} />
        </div>
      </header>
      <section class="card" aria-labelledby="timeline-title">
        <h2 id="timeline-title">Timeline</h2>
        <StepChart timeline={timeline} lastAtMs={state.lastAtMs} />
        {(state.status === 'running' || follower.breaks.value.length > 0) && (
          <Thread state={state} breaks={follower.breaks.value} connection={connection} />
        )}
        <p class="connection" role="status">
          {sentenceOf(connection, state)}
        </p>
        <Facts state={state} />
      </section>
      <Output state={state} />
      {canAdminister.value && state.beganAtMs !== null && (
        <Settlement id={id} fromMs={state.beganAtMs} untilMs={state.endedAtMs} />
      )}
      <Journal state={state} />
    </div>
  );
}

function BackToRuns() {
  return (
    <p class="back">
      <a href={linkTo('runs')}>All runs</a>
    </p>
  );
}

function CancelButton({ state: { id, status } }: { state: GenerationState }) {
  const [isCancelling, setCancelling] = useState(false);
  const [fault, setFault] = useState<Error | null>(null);
  if (status !== 'running') return null;
  const cancel = async () => {
    setCancelling(true);
    setFault(null);
    try {
      await clientWith().cancel(id);
    } catch (error) {
      setFault(error instanceof Error ? error : new Error(String(error)));
      setCancelling(false);
    }
  };
  return (
    <>
      <button type="button" class="small bad" disabled={isCancelling} onClick={cancel}>
        {isCancelling ? 'Cancelling' : 'Cancel'}
      </button>
      {fault !== null && <Failure error={fault} />}
    </>
  );
}

function Facts({ state }: { state: GenerationState }) {
  const { usage, beganAtMs, endedAtMs } = state;
  return (
    <dl class="facts">
      <Fact name="Model">{state.model === null ? '–' : `${state.provider}/${state.model}`}</Fact>
      <Fact name="Tokens">{formatTokens(usage)}</Fact>
      <Fact name="Cost">{state.cached ? 'none, from the cache' : formatCost(state.costMicroUsd)}</Fact>
      <Fact name="Attempts">{formatCount(state.attempts)}</Fact>
      <Fact name="Events">{formatCount(state.lastSeq + 1)}</Fact>
      {beganAtMs !== null && <Fact name="Accepted">{formatTime(beganAtMs)}</Fact>}
      {beganAtMs !== null && endedAtMs !== null && (
        <Fact name="Duration">{formatDuration(endedAtMs - beganAtMs)}</Fact>
      )}
    </dl>
  );
}

function Journal({ state }: { state: GenerationState }) {
  const startedAt = useRef(state.journal[0]?.at ?? 0);
  return (
    <section class="card" aria-labelledby="events-title">
      <details class="journal" open>
        <summary>
          <h2 id="events-title">Events</h2>
        </summary>
        <ol>
          {state.journal.map((entry) => (
            <li key={entry.seq} class={entry.tone}>
              <code>{entry.seq}</code> <span>{entry.text}</span>{' '}
              <time title={formatTime(entry.at)}>+{formatDuration(entry.at - startedAt.current)}</time>
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}
