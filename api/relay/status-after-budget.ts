/** A stream that begins with what its first status must know: whether the generation was refused before it began. */
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ViewerSink } from './viewer.ts';

/** What may stand in a log before anybody has asked the budget. */
const BEFORE_THE_BUDGET: ReadonlySet<GenerationEvent['type']> = new Set([
  'generation-start',
  'cache-skip',
  'cache-ask',
  'cache-judge',
  'prompt-compress',
]);

/**
 * Holds everything back until more than `generation-start` is there and the run is started, then calls `start` with it.
 * A generation that is refused (such as for its budget) is thrown instead, so that it gets the status of its error.
 */
export function startWithSecond(
  sink: ViewerSink,
  start: (events: readonly GenerationEvent[]) => void,
  runStarted: Promise<void> = Promise.resolve(),
): ViewerSink {
  let held: GenerationEvent[] | null = [];
  let isRunStarted = false;
  let isRefused = false;
  const release = () => {
    if (
      held === null ||
      isRefused ||
      !isRunStarted ||
      held.every((event) => BEFORE_THE_BUDGET.has(event.type))
    )
      return;
    const all = held;
    held = null;
    start(all);
    sink.send(all);
  };
  runStarted.then(
    () => {
      isRunStarted = true;
      release();
    },
    // Whoever waits for the run hears of it, and ends the stream.
    () => undefined,
  );
  return {
    ...sink,
    send: (events) => {
      if (held === null) {
        sink.send(events);
        return;
      }
      held.push(...events);
      const second = held.find((event) => !BEFORE_THE_BUDGET.has(event.type));
      if (second?.type === 'generation-error') {
        const error = errorOf(second, idIn(held));
        // What comes after it, such as the word that the run is started, must not begin the stream.
        isRefused = true;
        throw error;
      }
      release();
    },
    heartbeat: () => {
      if (held === null) sink.heartbeat();
    },
  };
}

type Failure = Extract<GenerationEvent, { type: 'generation-error' }>;

/** The error that ended a generation, as a route throws it. */
export function errorOf({ error }: Failure, generationId: string): UnbrokenError {
  const { code, message, details } = error;
  const againAtMs = details?.['resetsAtMs'] ?? details?.['retryAtMs'];
  return new UnbrokenError(isErrorCode(code) ? code : 'internal', message, {
    details: { ...details, generationId },
    ...(typeof againAtMs === 'number' ? { retryAfterMs: Math.max(0, againAtMs - Date.now()) } : {}),
  });
}

function idIn(events: readonly GenerationEvent[]): string {
  const start = events.find((event) => event.type === 'generation-start');
  return start?.type === 'generation-start' ? start.generationId : '';
}
