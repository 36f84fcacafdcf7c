/** The parts of one run's time to first token, from the times in its Temporal history and in its events. */
import { workflowId } from '../contracts/names.ts';
import type { Stack } from '../test/harness/stack.ts';
import { temporalClient } from '../test/harness/streaming-worker.ts';
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
  'HTTP to workflow start',
  'wait for a workflow task',
  'workflow VM, look-up, reserve, open the log',
  'provider call to first append of text',
  'log to reader (relay)',
] as const;

export type Steps = Partial<Record<(typeof STEPS)[number], number>>;

export async function readSteps(stack: Stack, sample: Sample): Promise<Steps> {
  if (sample.id === undefined) return {};
  const client = await temporalClient(stack.env);
  const history = await client.workflow.getHandle(workflowId('dev', sample.id)).fetchHistory();
  const firstOf = (attributes: string) => {
    const event = history.events?.find((one) => attributes in one && Reflect.get(one, attributes) !== null);
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
  put('HTTP to workflow start', sample.sentAtMs, started);
  put('wait for a workflow task', started, taskStarted);
  put('workflow VM, look-up, reserve, open the log', taskStarted, sample.startedAtMs);
  put('provider call to first append of text', sample.startedAtMs, sample.appendedAtMs);
  put('log to reader (relay)', sample.appendedAtMs, sample.firstAtMs);
  return steps;
}
