/** A batch of events on its way into the log, and the answer. */
import type { EventBody } from '../../contracts/events.ts';
import type { OnceOutcome } from './event-log.ts';

interface BatchEvents {
  readonly events: readonly EventBody[];
  /** It has text, and this writer has appended none before. */
  readonly hasFirstText: boolean;
}

export interface FencedBatch extends BatchEvents {
  readonly mode: 'fenced';
  readonly epoch: number;
  readonly opener: string;
  readonly expectedSeq: number;
  readonly checkpoint: unknown;
}

export type Batch =
  | FencedBatch
  | (BatchEvents & { readonly mode: 'once' | 'unopened' | 'uncancelled'; readonly step: string });

export interface AppendReply {
  readonly answer: OnceOutcome;
  readonly nextSeq: number;
  readonly isCancelRequested: boolean;
}
