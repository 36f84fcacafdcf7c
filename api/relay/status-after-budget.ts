/**
 * Delays the status of a streamed response until the log shows whether the budget refused the generation: a refusal is
 * then an HTTP error, and not a 200 with an error event.
 */
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ViewerSink } from './viewer.ts';

/** Events that can come before the budget is asked. */
const BEFORE_THE_BUDGET: ReadonlySet<GenerationEvent['type']> = new Set([
  'generation-start',
  'cache-skip',
  'cache-ask',
  'cache-judge',
  'prompt-compress',
]);

/**
 * Holds all events back until one shows that the budget was asked and the run is started. Then it calls `start` with
 * the events so far, and sends them. `send` throws the error of a generation that was refused.
 */
export function statusAfterBudget(
  sink: ViewerSink,
  start: (events: readonly GenerationEvent[]) => void,
  runStarted: Promise<void> = Promise.resolve(),
): ViewerSink {
  /** Null once the stream has started. */
  let held: GenerationEvent[] | null = [];
  let isRunStarted = false;
  let isRefused = false;
  const startIfDecided = () => {
    if (held === null || isRefused || !isRunStarted || !held.some(isAfterBudget)) return;
    const events = held;
    held = null;
    start(events);
    sink.send(events);
  };
  runStarted.then(
    () => {
      isRunStarted = true;
      startIfDecided();
    },
    // The caller awaits the same promise, and ends the stream.
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
      const decision = held.find(isAfterBudget);
      if (decision?.type === 'generation-error') {
        // The run may start after this, which must not start the stream.
        isRefused = true;
        throw toGenerationFailure(decision, generationIdOf(held));
      }
      startIfDecided();
    },
    heartbeat: () => {
      if (held === null) sink.heartbeat();
    },
  };
}

function isAfterBudget({ type }: GenerationEvent): boolean {
  return !BEFORE_THE_BUDGET.has(type);
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
