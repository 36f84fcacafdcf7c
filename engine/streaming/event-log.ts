/**
 * The port to the event log, the heart of the system. Each generation has one append-only log. Its `seq` is gapless
 * from 0, and exactly one event is terminal: the last. A delivered event is never withdrawn, only voided by a later
 * event.
 *
 * Writers are fenced by an epoch: opening the log with a higher one rejects all later writes of lower ones. The
 * provider's cursor is kept in the same atomic append as the text that it covers, so a resumed stream can neither
 * repeat nor skip text.
 */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import type { GenerationInput, GenerationStatus } from '../../contracts/generation.ts';
import type { LogFacts } from './log-facts.ts';
import type { LogView } from './log-view.ts';
import type { CountedInput } from './stored-bytes.ts';

export interface LogCreation {
  readonly generationId: string;
  readonly tenant: string;
  readonly user: string;
  readonly route: string;
  /** Distinguishes a retry of the same request from another request under the same idempotency key. */
  readonly requestHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly input: GenerationInput;
  /** The input as JSON, if the caller has it already. */
  readonly inputJson?: string | undefined;
  /** What was counted for the input; it is subtracted once the generation has ended. */
  readonly counted?: CountedInput | undefined;
  /** How long the log is kept once it has ended, in place of the usual retention. */
  readonly keptMs?: number | undefined;
  /** No other request can name this id, so no trace of it is left in Redis once the log is archived. */
  readonly isUnique?: boolean | undefined;
  /** The part of the request that a wire format must echo and the input does not hold; small, JSON. */
  readonly origin?: object | undefined;
}

export interface CreatedLog {
  /** false if the log existed already. */
  readonly created: boolean;
  readonly createdAt: number;
  /** Hash of the request that the log was created for. */
  readonly requestHash: string;
}

export interface LogHead {
  readonly generationId: string;
  readonly tenant: string;
  readonly user: string;
  readonly route: string;
  readonly status: GenerationStatus;
  /** The seq that the next event gets. */
  readonly nextSeq: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** The position in the provider's own stream; written with the text that it covers. */
  readonly checkpoint: unknown;
  /**
   * The first and last number that readers may have received before Redis lost the log's tail. Other events may have
   * these numbers now. null if no loss is known.
   */
  readonly torn: { readonly from: number; readonly until: number } | null;
  /** As passed at the creation; null if it was absent. */
  readonly origin: unknown;
  /** Their owner had the texts deleted, at once or when the log ends; the id stays taken. */
  readonly erased: boolean;
  /** The caller asked to cancel the generation, and it has not ended yet. */
  readonly isCancelRequested: boolean;
  /** What Redis still has of an archived log: what a repeated request needs, and neither texts nor sums. */
  readonly isArchived: boolean;
  /** What its input was counted as; absent in logs of older code. */
  readonly inputBytes?: number;
}

/**
 * `opened`: a writer has opened the log, and the step was valid only before that. `cancel-requested`: the caller has
 * cancelled, and the step was valid only before that.
 */
export type OnceOutcome = 'appended' | 'already-appended' | 'ended' | 'opened' | 'cancel-requested';

/** Observes appends, for metrics and for the process' own log. Must be fast, and must not throw. */
export interface LogListener {
  appended(append: {
    readonly generationId: string;
    readonly count: number;
    readonly tookMs: number;
    /** null while the generation runs. */
    readonly status: GenerationStatus | null;
    readonly last: EventBody | undefined;
  }): void;
  /** An append got no reply and is sent again. */
  retried(): void;
  refused(reason: LogRefused['reason']): void;
}

export interface LogReader {
  head(generationId: string): Promise<LogHead | null>;
  /**
   * The head of a log that a request with the same id joins. It is read from Redis alone, because most requests ask for
   * a log that does not exist yet, and wait for the answer.
   */
  known(generationId: string): Promise<LogHead | null>;
  /** The head with what a list shows of the generation; `view` is null for a log that older code created. */
  view(generationId: string): Promise<{ readonly head: LogHead; readonly view: LogView | null } | null>;
  /** What usage statistics count of it; null if there is no log. */
  facts(generationId: string): Promise<LogFacts | null>;
  /** All events after the cursor, read page by page, with neighbouring deltas merged: for callers without cursors. */
  readMerged(generationId: string, after?: number): Promise<GenerationEvent[]>;
  /**
   * Events after the cursor (exclusive; -1 for all), oldest first; empty if there are none yet. With `maxEntries`, at
   * most that many entries, and at most `LIMITS.eventsPerRead` events unless one entry alone holds more.
   */
  read(generationId: string, after: number, maxEntries?: number): Promise<GenerationEvent[]>;
  readInput(generationId: string): Promise<GenerationInput | null>;
  /** How many API processes relay the log at this moment. */
  followers(generationId: string): Promise<number>;
}

export interface EventLog extends LogReader {
  /** Creates the log with its first event. If the log exists, nothing changes, and the result describes that log. */
  create(creation: LogCreation): Promise<CreatedLog>;
  /**
   * Takes the log over for this epoch and reads all of it. Throws `LogRefused`.
   * @param onCancelRequest called when the opening or an append finds that the caller asked to cancel the generation.
   * An attempt that resumes after an outage may have the whole answer at once, in its first append.
   */
  open(generationId: string, epoch: Epoch, onCancelRequest?: () => void): Promise<OpenedLog>;
  /**
   * Takes over a log that holds only its start, and appends `events` in the same step.
   * @returns null if the log holds more, was opened before, or is to be cancelled: then the caller opens and reads it.
   */
  openFresh(
    generationId: string,
    epoch: number,
    events: readonly EventBody[],
    onCancelRequest?: () => void,
  ): Promise<LogWriter | null>;
  /** Asks the writer of the log to end the generation. An ended log does not change. */
  requestCancel(generationId: string): Promise<void>;
  /**
   * Appends outside of any epoch, once per step name even if called repeatedly.
   * @param when `unopened`: only if no writer has opened the log yet; `uncancelled`: only if no cancel was requested.
   */
  appendOnce(
    generationId: string,
    step: string,
    events: readonly EventBody[],
    when?: 'unopened' | 'uncancelled',
  ): Promise<OnceOutcome>;
  /**
   * Deletes the texts of a log: at once, or in the append that ends it if it still runs. From now on it is `erased`.
   * The head stays, so that its idempotency key is not used again.
   */
  erase(generationId: string): Promise<'now' | 'at-end'>;
  /**
   * Deletes from an erased log whose it was, and the hash of its request. Redis keeps the rest of its head until it
   * expires, so that its id is not used again; the archive keeps nothing. A log that is not erased does not change.
   */
  disown(generationId: string): Promise<void>;
  /** From now on a log that was created with `keptMs` has the usual retention. */
  keepNoLonger(generationId: string): Promise<void>;
  /**
   * From now on `markStored` refuses, and nothing else changes: until the log is erased, its owner finds it and can
   * retry the deletion.
   */
  withhold(generationId: string): Promise<Withheld>;
  /** Call before the answer is stored for others. @returns false if it is withheld or erased: it must not be stored. */
  markStored(generationId: string): Promise<boolean>;
}

/**
 * Orders the attempts at a generation. `newest`: above all epochs so far, for a step that follows the last attempt and
 * must know everything that was written.
 */
export type Epoch = number | 'newest';

export interface Withheld {
  /** Whether the answer was stored for others, or is being stored now: it must be deleted there. */
  readonly mayBeStored: boolean;
}

export interface OpenedLog {
  readonly head: LogHead;
  readonly events: readonly GenerationEvent[];
  readonly writer: LogWriter;
}

export interface LogWriter {
  /** Identifies this takeover of the log. Of several writers with one epoch, only the last opener may write. */
  readonly opener: string;
  /** The seq that the next written event gets. */
  readonly nextSeq: number;
  /**
   * Queues an event. It is appended at once if no append is in flight, else with the next batch. Resolves when there is
   * room for more. Rejects with `LogRefused` after an append was refused.
   */
  write(event: EventBody, checkpoint?: unknown): Promise<void>;
  /** Resolves when every written event is in the log. */
  flush(): Promise<void>;
}

type RefusalReason = 'fenced' | 'ended' | 'missing' | 'conflict' | 'torn';

/** Why a writer may not write: a newer one opened the log, or the log has ended, has lost its tail, or is missing. */
export class LogRefused extends Error {
  override readonly name = 'LogRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail: string) {
    super(`The log refused the writer (${reason}): ${detail}`);
    this.reason = reason;
  }
}
