/** One generation as it comes: its text, how the connection stands, and what may be done about either. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Connection, type Following, follow } from '../following.ts';
import { formatCost, formatCount, formatTime, shortId } from '../format.ts';
import { type Reading, tokensOf } from '../reading.ts';
import { clientWith, temporalLink } from '../session.ts';
import { Away, Fact, Failure, Status } from './parts.tsx';
import { Thread } from './thread.tsx';

/** A cut line joins again by itself after this. */
const CUT_SECONDS = 5;
const NEAR_END_PX = 48;

export function ReadingPanel({ id }: { id: string }) {
  const following = useMemo(() => follow(id), [id]);
  useEffect(() => following.stop, [following]);
  const title = useRef<HTMLHeadingElement>(null);
  // On a small screen it lies below the form that began it.
  useEffect(() => title.current?.focus(), []);
  const reading = following.reading.value;
  const connection = following.connection.value;
  const isRunning = reading.status === 'running';
  if (connection.state === 'refused' && reading.lastSeq < 0) {
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
        <Status status={reading.status} />
        <Controls following={following} />
      </header>
      <Thread reading={reading} breaks={following.breaks.value} connection={connection} />
      <p class="connection" role="status">
        {sentenceOf(connection, reading)}
      </p>
      {reading.reasoning !== '' && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <p>{reading.reasoning}</p>
        </details>
      )}
      <Answer text={reading.text} isRunning={isRunning} />
      {reading.toolCalls.map((call, index) => (
        <pre key={index} class="tool-call">
          {call.name}({call.arguments})
        </pre>
      ))}
      {reading.error !== null && (
        <p class="fault">
          {reading.error.message}{' '}
          <a href={reading.error.doc} target="_blank" rel="noreferrer">
            {reading.error.code}
          </a>
        </p>
      )}
      <Facts reading={reading} />
      <Journal reading={reading} />
    </section>
  );
}

/** Not a live region: a screen reader would read every token. The status above it tells how it stands. */
function Answer({ text, isRunning }: { text: string; isRunning: boolean }) {
  const box = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    // Who has scrolled up to read is left there.
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

function Controls({ following }: { following: Following }) {
  const [isCancelling, setCancelling] = useState(false);
  const [fault, setFault] = useState<Error | null>(null);
  const { id, status } = following.reading.value;
  const { state } = following.connection.value;
  const seconds = useCountdown(state === 'cut', following.join);
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
      {state === 'cut' ? (
        <button type="button" class="mend" onClick={following.join}>
          Resume <span class="muted">or wait {seconds} s</span>
        </button>
      ) : (
        <button type="button" onClick={following.cut}>
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

/** Counts down while `isOn`, then calls. @returns the seconds that are left. */
function useCountdown(isOn: boolean, call: () => void): number {
  const [seconds, setSeconds] = useState(CUT_SECONDS);
  useEffect(() => {
    if (!isOn) return;
    setSeconds(CUT_SECONDS);
    const tick = setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1_000);
    const end = setTimeout(call, CUT_SECONDS * 1_000);
    return () => {
      clearInterval(tick);
      clearTimeout(end);
    };
  }, [isOn, call]);
  return seconds;
}

/** Changes with the connection, not with every token: it is read aloud. */
function sentenceOf(connection: Connection, { status, attempts }: Reading): string {
  if (connection.state === 'refused') return `The stream was refused: ${connection.error.message}`;
  if (connection.state === 'cut') {
    return `Cut after event ${connection.after}. The generation goes on without you.`;
  }
  if (connection.state === 'lost') {
    return `Connection lost after event ${connection.after} (${connection.reason}). Trying again.`;
  }
  if (status === 'completed') return 'The answer is whole.';
  if (status === 'failed') return 'The generation failed.';
  if (status === 'cancelled') return 'The generation was cancelled.';
  if (connection.state === 'connecting') return 'Connecting.';
  return attempts === 0 ? 'Waiting for a model.' : 'The text comes in.';
}

function Facts({ reading }: { reading: Reading }) {
  const { input, output } = tokensOf(reading.usage);
  const link = temporalLink(reading.id);
  return (
    <dl class="facts">
      <Fact name="Model">{reading.model === null ? '–' : `${reading.provider}/${reading.model}`}</Fact>
      <Fact name="Tokens">
        {formatCount(input)} in, {formatCount(output)} out
      </Fact>
      <Fact name="Cost">{reading.cached ? 'none, from the cache' : formatCost(reading.costMicroUsd)}</Fact>
      <Fact name="Attempts">{formatCount(reading.attempts)}</Fact>
      <Fact name="Last event">{reading.lastSeq < 0 ? '–' : formatCount(reading.lastSeq)}</Fact>
      {link !== null && (
        <Fact name="Workflow">
          <Away href={link}>Temporal</Away>
        </Fact>
      )}
    </dl>
  );
}

function Journal({ reading }: { reading: Reading }) {
  return (
    <details class="journal" open>
      <summary>What happened</summary>
      <ol>
        {reading.journal.map((entry) => (
          <li key={entry.seq} class={entry.tone}>
            <code>{entry.seq}</code> <span>{entry.text}</span> <time>{formatTime(entry.at)}</time>
          </li>
        ))}
      </ol>
    </details>
  );
}
