/**
 * Delays the status of a streamed response until the log shows content, so that an error before it is an HTTP error and
 * not a 200 with an error event: clients choose between retry and fallback by the status. The delay has a limit: after
 * it the stream starts, and heartbeats keep the connection open.
 */
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ViewerSink } from './viewer.ts';

/** Events after which no error can be the status: content, and every end but an error. */
const STARTS_THE_STREAM: ReadonlySet<GenerationEvent['type']> = new Set([
  'cache-hit',
  'text-start',
  'text-delta',
  'reasoning-delta',
  'tool-call-delta',
  'annotation',
  'native-part',
  'generation-end',
  'generation-cancel',
]);

interface StatusHold {
  /** Called once, with the events so far. */
  readonly start: (events: readonly GenerationEvent[]) => void;
  readonly limitMs: number;
  /** Aborts when the connection closes. */
  readonly closed: AbortSignal;
  /** Nothing starts before this; absent: the run has started. */
  readonly runStarted?: Promise<void>;
  /** Whether another log of the response has started it. */
  readonly isStarted?: () => boolean;
  /** Refusals that the format sends in its stream, not as a status. */
  readonly streamedRefusals?: ReadonlySet<string> | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Holds all events back until one is content, or the limit is over. Then it calls `start`, and sends them. `send`
 * throws the error of a generation that failed before.
 */
export function holdStatus(sink: ViewerSink, hold: StatusHold): ViewerSink {
  const { start, limitMs, closed, runStarted = Promise.resolve(), isStarted = () => false } = hold;
  const { streamedRefusals = NONE } = hold;
  const starts = (event: GenerationEvent) =>
    STARTS_THE_STREAM.has(event.type) ||
    (event.type === 'generation-error' && streamedRefusals.has(event.error.code));
  /** Null once the stream has started. */
  let held: GenerationEvent[] | null = [];
  let isRunStarted = false;
  let isOver = false;
  let isRefused = false;
  const startIfDecided = () => {
    if (held === null || isRefused || closed.aborted || !isRunStarted) return;
    if (!isOver && !isStarted() && !held.some(starts)) return;
    const events = held;
    held = null;
    clearTimeout(limit);
    start(events);
    sink.send(events);
  };
  const limit = setTimeout(() => {
    isOver = true;
    startIfDecided();
  }, limitMs);
  closed.addEventListener('abort', () => clearTimeout(limit), { once: true });
  runStarted.then(
    () => {
      isRunStarted = true;
      startIfDecided();
    },
    // The caller awaits the same promise, and ends the stream.
    () => clearTimeout(limit),
  );
  return {
    ...sink,
    send: (events) => {
      if (held === null) {
        sink.send(events);
        return;
      }
      held.push(...events);
      const decision = held.find((event) => event.type === 'generation-error' || starts(event));
      if (decision?.type === 'generation-error' && !starts(decision) && !isStarted()) {
        // The run may start after this, which must not start the stream.
        isRefused = true;
        clearTimeout(limit);
        throw toGenerationFailure(decision, generationIdOf(held));
      }
      startIfDecided();
    },
    heartbeat: () => {
      if (held === null || isStarted()) sink.heartbeat();
    },
  };
}

type Failure = Extract<GenerationEvent, { type: 'generation-error' }>;

/** The error with which a generation ended, for a route to throw. */
export function toGenerationFailure({ error }: Failure, generationId: string): UnbrokenError {
  const { code, message, details } = error;
  const retryAtMs = details?.['resetsAtMs'] ?? details?.['retryAtMs'];
  return new UnbrokenError(isErrorCode(code) ? code : 'internal', message, {
    details: { ...details, generationId },
    ...(typeof retryAtMs === 'number' ? { retryAfterMs: Math.max(0, retryAtMs - Date.now()) } : {}),
  });
}

function generationIdOf(events: readonly GenerationEvent[]): string {
  const start = events.find((event) => event.type === 'generation-start');
  return start?.type === 'generation-start' ? start.generationId : '';
}
