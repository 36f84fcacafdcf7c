/**
 * The streams that run in this worker process. One begins in the local activity `beginGeneration`, which holds a
 * workflow task and so must be short; where it goes on for longer, the activity `streamFromProvider`, which can
 * heartbeat, adopts it as it runs. An attempt in another process finds nothing here and takes the log over instead.
 */
import type { Candidate } from '../../contracts/generation.ts';
import type { GenerationOutcome, StreamStep } from '../../contracts/steps.ts';
import type { LogWriter } from '../../engine/streaming/event-log.ts';
import { nameOfLog } from './name-of-log.ts';

/** Why a stream is stopped: the caller cancelled, its time is up, or the next attempt shall go on from the log. */
export type Stop = 'cancel' | 'deadline' | 'leave';

/** What a running attempt is told. */
export interface StreamControl {
  /** Orders the attempts of a generation; ms since 1970 by Temporal's clock, or 1 before the workflow has asked. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  stop(why: Stop): void;
  stopped(): Stop | null;
  /** The attempt has the log; from now on its progress can be told. */
  opened(writer: LogWriter): void;
}

export interface RunningStream {
  readonly outcome: Promise<GenerationOutcome>;
  stop(why: Stop): void;
  /** The seq of the newest event that it has written. */
  lastSeq(): number;
}

export interface RunningStreams {
  /** The stream that this process already runs into the same log for the same candidate, else a new one. */
  joinOrStart(step: StreamStep, epoch: number, run: Run): RunningStream;
  /**
   * The caller answers for how the stream ends: nobody else shall learn it from here. A stream that nobody claims is
   * kept for a while after its end, for the activity that is on its way to adopt it.
   */
  claim(step: StreamStep): void;
}

type Run = (control: StreamControl) => Promise<GenerationOutcome>;

const KEEP_UNCLAIMED_MS = 10_000;

interface Entry extends RunningStream {
  readonly candidate: string;
  isClaimed: boolean;
  hasEnded: boolean;
}

export function createRunningStreams(): RunningStreams {
  const streams = new Map<string, Entry>();
  const forget = (log: string, entry: Entry) => {
    if (streams.get(log) === entry) streams.delete(log);
  };
  const find = ({ order, candidate }: StreamStep): Entry | undefined => {
    const entry = streams.get(nameOfLog(order));
    return entry?.candidate === nameOf(candidate) ? entry : undefined;
  };

  return {
    joinOrStart(step, epoch, run) {
      const found = find(step);
      if (found !== undefined) return found;
      const log = nameOfLog(step.order);
      const entry = startStream(nameOf(step.candidate), epoch, run);
      streams.set(log, entry);
      const ended = () => {
        entry.hasEnded = true;
        if (entry.isClaimed) forget(log, entry);
        else setTimeout(() => forget(log, entry), KEEP_UNCLAIMED_MS).unref();
      };
      entry.outcome.then(ended, ended);
      return entry;
    },
    claim(step) {
      const entry = find(step);
      if (entry === undefined) return;
      entry.isClaimed = true;
      if (entry.hasEnded) forget(nameOfLog(step.order), entry);
    },
  };
}

function startStream(candidate: string, epoch: number, run: Run): Entry {
  const controller = new AbortController();
  let why: Stop | null = null;
  let writer = null as LogWriter | null;
  const stop = (reason: Stop) => {
    why ??= reason;
    controller.abort(new Error(`The stream was stopped (${reason}).`));
  };
  const outcome = run({
    epoch,
    signal: controller.signal,
    stop,
    stopped: () => why,
    opened: (opened) => {
      writer = opened;
    },
  });
  return {
    outcome,
    stop,
    candidate,
    isClaimed: false,
    hasEnded: false,
    lastSeq: () => (writer === null ? -1 : writer.nextSeq - 1),
  };
}

function nameOf({ provider, model }: Candidate): string {
  return `${provider}/${model}`;
}
