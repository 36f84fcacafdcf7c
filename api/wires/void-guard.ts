/**
 * For formats that cannot void text. What is void already when the client comes is left out; what is voided later ends
 * the stream with an error. Two texts are never mixed.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { LogReader } from '../../engine/streaming/event-log.ts';

export interface VoidGuard {
  /** Whether the event may be projected. */
  admit(event: GenerationEvent): boolean;
  /** Given when text that was admitted has become void: the stream must end with it. */
  readonly broken: UnbrokenError | null;
}

/** @param voidedBefore text before this seq is void already when the client comes; -1 for none. */
export function createVoidGuard(voidedBefore: number): VoidGuard {
  let wasSent = false;
  let broken: UnbrokenError | null = null;
  let generationId = '';
  return {
    get broken() {
      return broken;
    },
    admit: (event) => {
      if (event.type === 'generation-start') generationId = event.generationId;
      if (broken !== null) return false;
      if (event.type === 'text-reset' && wasSent) {
        broken = new UnbrokenError('text_voided', `The answer of ${generationId} was begun again.`, {
          details: { generationId },
        });
      }
      if (!isDelta(event)) return broken === null;
      if (event.seq < voidedBefore) return false;
      wasSent = true;
      return true;
    },
  };
}

/**
 * Where the text begins that a client may be given now.
 * @param unfinishedIsVoid whether text of an answer that did not end well counts as void.
 */
export async function voidedBefore(
  log: LogReader,
  generationId: string,
  unfinishedIsVoid: boolean,
): Promise<number> {
  const events = await log.readMerged(generationId);
  if (unfinishedIsVoid && events.at(-1)?.type !== 'generation-end') return Number.POSITIVE_INFINITY;
  return events.findLast((event) => event.type === 'text-reset')?.seq ?? -1;
}

function isDelta({ type }: GenerationEvent): boolean {
  return type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-call-delta';
}
