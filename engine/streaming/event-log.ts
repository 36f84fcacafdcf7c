/**
 * The port to the event log, the heart of the system. One append-only log per generation; `seq` is gapless from 0;
 * exactly one event is terminal and it is the last. What a reader was given is never taken back, only voided by a
 * later event.
 *
 * Writers are fenced by an epoch: whoever opens the log with a higher one silences all before. The provider's cursor
 * is kept in the same atomic append as the text that it covers, so a resumed stream can neither repeat nor skip text.
 */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import type { GenerationInput, GenerationStatus } from '../../contracts/generation.ts';
import type { LogView } from './log-view.ts';
import type { CountedInput } from './stored-bytes.ts';

export interface LogCreation {
  readonly generationId: string;
  readonly tenant: string;
  readonly user: string;
  readonly route: string;
  /** Tells the same request sent again from another one under the same idempotency key. */
  readonly requestHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly input: GenerationInput;
  /** The input as JSON, where the caller has it already. */
  readonly inputJson?: string | undefined;
  /** What was counted for the input; it is taken off when the generation has ended. */
  readonly counted?: CountedInput | undefined;
  /** What a wire format must echo of its request and the input does not hold; small, JSON. */
  readonly origin?: object | undefined;
}

export interface CreatedLog {
  /** false where it was there already. */
  readonly created: boolean;
  readonly createdAt: number;
  /** Of the request that it was created for. */
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
  /** Where the provider's own stream stands; written with the text that it covers. */
  readonly checkpoint: unknown;
  /**
   * Numbers that readers may have had before Redis lost the log's tail, first and last; what bears them now may be
   * something else. null where nothing is known to be lost.
   */
  readonly torn: { readonly from: number; readonly until: number } | null;
  /** As it was given at the creation; null where none was. */
  readonly origin: unknown;
  /** The texts are gone at the wish of their owner, or go when the log ends; the id stays taken. */
  readonly erased: boolean;
}

/** `opened`: a writer has had the log, and the step was only good before. */
export type OnceOutcome = 'appended' | 'already-appended' | 'ended' | 'opened';

/** Hears what is written, for metrics and for the process' own log. Must be quick, and must not throw. */
export interface LogListener {
  appended(append: {
    readonly generationId: string;
    readonly count: number;
    readonly tookMs: number;
    /** null while the generation runs. */
    readonly status: GenerationStatus | null;
    readonly last: EventBody | undefined;
  }): void;
  /** An append got no answer and is sent again. */
  repeated(): void;
  refused(reason: LogRefused['reason']): void;
}

export interface LogReader {
  head(generationId: string): Promise<LogHead | null>;
  /** The head with what a list shows of the generation; `view` is null for a log that older code began. */
  view(generationId: string): Promise<{ readonly head: LogHead; readonly view: LogView | null } | null>;
  /** All events after the cursor with neighbouring deltas merged, read piece by piece: for what needs no numbers. */
  readMerged(generationId: string, after?: number): Promise<GenerationEvent[]>;
  /**
   * Events after the cursor (exclusive; -1 for all), oldest first; empty where there are none yet. With `maxEntries` at
   * most so many entries, and no more than `LIMITS.eventsPerRead` events where one entry does not hold more.
   */
  read(generationId: string, after: number, maxEntries?: number): Promise<GenerationEvent[]>;
  readInput(generationId: string): Promise<GenerationInput | null>;
  /** API processes that relay the log to somebody now. */
  followers(generationId: string): Promise<number>;
}

export interface EventLog extends LogReader {
  /** Creates the log with its first event. Sent again it changes nothing and tells of the log that is there. */
  create(creation: LogCreation): Promise<CreatedLog>;
  /**
   * Takes the log over for this epoch and reads it whole. Throws `LogRefused`.
   * @param onCancelWish called when an append finds that the caller wishes the generation to end.
   */
  open(generationId: string, epoch: Epoch, onCancelWish?: () => void): Promise<OpenedLog>;
  /**
   * Takes a log over that has no more than its start, and appends `events` in the same step.
   * @returns null where it has more, or was opened before, or the caller wishes it to end: then it is to be read.
   */
  openFresh(
    generationId: string,
    epoch: number,
    events: readonly EventBody[],
    onCancelWish?: () => void,
  ): Promise<LogWriter | null>;
  /** Tells whoever writes the log that the caller wishes the generation to end. Nothing happens to an ended log. */
  wishCancel(generationId: string): Promise<void>;
  /**
   * Appends outside of any epoch, once per step name, however often it is called.
   * @param when `unopened`: only while no writer has ever opened the log.
   */
  appendOnce(
    generationId: string,
    step: string,
    events: readonly EventBody[],
    when?: 'unopened',
  ): Promise<OnceOutcome>;
  /**
   * Drops the texts of a log for good, at once or, where it still runs, in the append that ends it; from now on it is
   * `erased`. The head stays, so that its idempotency key is not used again.
   */
  erase(generationId: string): Promise<'now' | 'at-end'>;
  /**
   * From now on `noteStored` refuses, and nothing else changes: until the log is erased, its owner finds it and can ask
   * again.
   */
  withhold(generationId: string): Promise<Withheld>;
  /** Before its answer is stored for others. @returns false where it is withheld or erased and must not be. */
  noteStored(generationId: string): Promise<boolean>;
}

/**
 * Orders the attempts at a generation. `newest`: above all before, for a step that comes after the last attempt and must
 * know all that was written.
 */
export type Epoch = number | 'newest';

export interface Withheld {
  /** Whether its answer was stored for others, or is being stored now: it must be deleted there. */
  readonly mayBeStored: boolean;
}

export interface OpenedLog {
  readonly head: LogHead;
  readonly events: readonly GenerationEvent[];
  readonly writer: LogWriter;
}

export interface LogWriter {
  /** Names this taking over of the log. Of writers with one epoch, only the one whose name the log keeps may write. */
  readonly opener: string;
  /** The seq that the next written event gets. */
  readonly nextSeq: number;
  /**
   * Takes an event; it is appended at once when no append is under way, else with the next batch. Resolves when
   * there is room for more. Rejects with `LogRefused` after an append was refused.
   */
  write(event: EventBody, checkpoint?: unknown): Promise<void>;
  /** Resolves when all that was written is in the log. */
  flush(): Promise<void>;
}

export type RefusalReason = 'fenced' | 'ended' | 'missing' | 'conflict' | 'torn';

/** Why a writer may not write: a newer one has the log, the log has ended, has lost its tail, or is gone. */
export class LogRefused extends Error {
  override readonly name = 'LogRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail: string) {
    super(`The log refused the writer (${reason}): ${detail}`);
    this.reason = reason;
  }
}
