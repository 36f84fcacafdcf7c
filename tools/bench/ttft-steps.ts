/** The parts of one run's time to first token, from the times in its Temporal history and in its events. */
import { workflowId } from '../../contracts/names.ts';
import type { Stack } from '../../test/harness/stack.ts';
import { temporalClient } from '../../test/harness/streaming-worker.ts';
import type { StreamTimes } from './load.ts';

/** A request through Unbroken; times in ms since 1970. */
export interface Sample extends StreamTimes {
  /** When the log took the first text delta. */
  readonly appendedAtMs?: number;
  /** When the log took provider-start. */
  readonly startedAtMs?: number;
  readonly id?: string;
}

export const STEPS = [
  'HTTP, log, hand-over, reserve: until the call is on record',
  'provider, and Temporal beside it: until the first append of text',
  'log to reader (relay)',
  'beside it: HTTP until Temporal begins to write the run down',
  'beside it: from there until the first task is begun (0: eagerly)',
] as const;

type Steps = Partial<Record<(typeof STEPS)[number], number>>;

export async function readSteps(stack: Stack, sample: Sample): Promise<Steps> {
  if (sample.id === undefined) return {};
  const client = await temporalClient(stack.env);
  const history = await client.workflow.getHandle(workflowId('dev', sample.id)).fetchHistory();
  const firstOf = (attributes: string) => {
    const event = history.events?.find(
      (candidate) => attributes in candidate && Reflect.get(candidate, attributes) !== null,
    );
    const time = event?.eventTime;
    return time === undefined || time === null
      ? undefined
      : Number(time.seconds) * 1_000 + (time.nanos ?? 0) / 1e6;
  };
  const started = firstOf('workflowExecutionStartedEventAttributes');
  const taskStarted = firstOf('workflowTaskStartedEventAttributes');
  const steps: Steps = {};
  const put = (name: (typeof STEPS)[number], from: number | undefined, to: number | undefined) => {
    if (from !== undefined && to !== undefined) steps[name] = to - from;
  };
  const [onRecord, text, relay, writing, task] = STEPS;
  put(onRecord, sample.sentAtMs, sample.startedAtMs);
  put(text, sample.startedAtMs, sample.appendedAtMs);
  put(relay, sample.appendedAtMs, sample.firstAtMs);
  put(writing, sample.sentAtMs, started);
  put(task, started, taskStarted);
  return steps;
}
