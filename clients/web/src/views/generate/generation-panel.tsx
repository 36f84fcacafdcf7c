/** One generation as it arrives: its text, the state of its connection, and the controls of both. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { inputTokensOf, outputTokensOf } from '../../../../../contracts/money.ts';
import { formatCost, formatCount, formatTime, shortId } from '../../format.ts';
import { type Connection, GenerationFollower } from '../../generation-follower.ts';
import type { GenerationState } from '../../generation-state.ts';
import { clientWith, temporalLink } from '../../session.ts';
import { ExternalLink, Fact, Failure, Status } from '../parts.tsx';
import { Thread } from './thread.tsx';

/** A connection that the user has cut resumes after this. */
const CUT_SECONDS = 5;
const NEAR_END_PX = 48;

export function GenerationPanel({ id }: { id: string }) {
  const follower = useMemo(() => new GenerationFollower(id), [id]);
  useEffect(() => () => follower.stop(), [follower]);
  const title = useRef<HTMLHeadingElement>(null);
  // On a small screen the panel lies below the form.
  useEffect(() => title.current?.focus(), []);
  const state = follower.state.value;
  const connection = follower.connection.value;
  const isRunning = state.status === 'running';
  if (connection.state === 'refused' && state.lastSeq < 0) {
    return (
      <section class="card reading" aria-label="Generation">
        <Failure error={connection.error} />
      </section>
    );
  }
  return (
    <section class="card reading" aria-labelledby="reading-title">
      <header>
        <h2 id="reading-title" ref={title} tabIndex={-1}>
          <span class="visually-hidden">Generation </span>
          <code title={id}>{shortId(id)}</code>
        </h2>
        <Status status={state.status} />
        <Controls follower={follower} />
      </header>
      <Thread state={state} breaks={follower.breaks.value} connection={connection} />
      <p class="connection" role="status">
        {sentenceOf(connection, state)}
      </p>
      {state.reasoning !== '' && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <p>{state.reasoning}</p>
        </details>
      )}
      <Answer text={state.text} isRunning={isRunning} />
      {state.toolCalls.map((call, index) => (
        <pre key={index} class="tool-call">
          {call.name}({call.arguments})
        </pre>
      ))}
      {state.error !== null && (
        <p class="fault">
          {state.error.message}{' '}
          <a href={state.error.doc} target="_blank" rel="noreferrer">
            {state.error.code}
          </a>
        </p>
      )}
      <Facts state={state} />
      <Journal state={state} />
    </section>
  );
}

/** Not a live region: a screen reader would announce every token. The status above it announces changes. */
function Answer({ text, isRunning }: { text: string; isRunning: boolean }) {
  const box = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    // A reader who has scrolled up stays there.
    if (isRunning && isAtEnd.current && box.current !== null)
      box.current.scrollTop = box.current.scrollHeight;
  }, [text, isRunning]);
  const noteScroll = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return (
    <section
      ref={box}
      class={isRunning ? 'answer running' : 'answer'}
      aria-label="Answer"
      aria-busy={isRunning}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
      tabIndex={0}
      onScroll={noteScroll}
    >
      {text}
    </section>
  );
}

function Controls({ follower }: { follower: GenerationFollower }) {
  const [isCancelling, setCancelling] = useState(false);
  const [fault, setFault] = useState<Error | null>(null);
  const { id, status } = follower.state.value;
  const connection = follower.connection.value;
  const seconds = useCountdown(connection.state === 'cut', follower);
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
    <div class="controls">
      {connection.state === 'cut' ? (
        <button type="button" class="mend" onClick={() => follower.resume()}>
          Resume <span class="muted">or wait {seconds} s</span>
        </button>
      ) : (
        <button type="button" onClick={() => follower.cut()}>
          Cut the connection
        </button>
      )}
      <button type="button" class="bad" disabled={isCancelling} onClick={cancel}>
        {isCancelling ? 'Cancelling' : 'Cancel'}
      </button>
      {fault !== null && <Failure error={fault} />}
    </div>
  );
}

/** Counts down while the connection is cut, then resumes it. @returns the seconds that are left. */
function useCountdown(isCut: boolean, follower: GenerationFollower): number {
  const [seconds, setSeconds] = useState(CUT_SECONDS);
  useEffect(() => {
    if (!isCut) return;
    setSeconds(CUT_SECONDS);
    const tick = setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1_000);
    const end = setTimeout(() => follower.resume(), CUT_SECONDS * 1_000);
    return () => {
      clearInterval(tick);
      clearTimeout(end);
    };
  }, [isCut, follower]);
  return seconds;
}

/** Changes with the connection and not with every token, because screen readers announce it. */
function sentenceOf(connection: Connection, { status, attempts }: GenerationState): string {
  if (connection.state === 'refused') return `The stream was refused: ${connection.error.message}`;
  if (connection.state === 'cut') {
    return `Cut after event ${connection.after}. The generation continues on the server.`;
  }
  if (connection.state === 'lost') {
    return `Connection lost after event ${connection.after} (${connection.reason}). Reconnecting.`;
  }
  if (status === 'completed') return 'The answer is complete.';
  if (status === 'failed') return 'The generation failed.';
  if (status === 'cancelled') return 'The generation was cancelled.';
  if (connection.state === 'connecting') return 'Connecting.';
  return attempts === 0 ? 'Waiting for a model.' : 'Receiving text.';
}

function Facts({ state }: { state: GenerationState }) {
  const { usage } = state;
  const link = temporalLink(state.id);
  return (
    <dl class="facts">
      <Fact name="Model">{state.model === null ? '–' : `${state.provider}/${state.model}`}</Fact>
      <Fact name="Tokens">
        {formatCount(inputTokensOf(usage))} in, {formatCount(outputTokensOf(usage))} out
      </Fact>
      <Fact name="Cost">{state.cached ? 'none, from the cache' : formatCost(state.costMicroUsd)}</Fact>
      <Fact name="Attempts">{formatCount(state.attempts)}</Fact>
      <Fact name="Last event">{state.lastSeq < 0 ? '–' : formatCount(state.lastSeq)}</Fact>
      {link !== null && (
        <Fact name="Workflow">
          <ExternalLink href={link}>Temporal</ExternalLink>
        </Fact>
      )}
    </dl>
  );
}

function Journal({ state }: { state: GenerationState }) {
  return (
    <details class="journal" open>
      <summary>Timeline</summary>
      <ol>
        {state.journal.map((entry) => (
          <li key={entry.seq} class={entry.tone}>
            <code>{entry.seq}</code> <span>{entry.text}</span> <time>{formatTime(entry.at)}</time>
          </li>
        ))}
      </ol>
    </details>
  );
}
