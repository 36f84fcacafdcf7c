/**
 * For formats that cannot void text. What is void already when the client comes is left out. What is voided later ends
 * the stream with an error, or, where text is held back, was never sent. Two texts are never mixed.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import { type GenerationEvent, isTerminal } from '../../contracts/events.ts';
import type { LogReader } from '../../streaming/event-log.ts';

export interface VoidGuard {
  /** The events that may be projected now. */
  admit(event: GenerationEvent): readonly GenerationEvent[];
  /** Given when text that was admitted has become void: the stream must end with it. */
  readonly broken: UnbrokenError | null;
}

/** @param voidedBefore the seq of the last `text-reset` that is in the log when the client comes; -1 for none. */
export function createVoidGuard({ hold, voidedBefore }: { hold: boolean; voidedBefore: number }): VoidGuard {
  let held: GenerationEvent[] = [];
  let wasSent = false;
  let broken: UnbrokenError | null = null;
  let generationId = '';
  return {
    get broken() {
      return broken;
    },
    admit: (event) => {
      if (event.type === 'generation-start') generationId = event.generationId;
      if (broken !== null) return [];
      if (event.type === 'text-reset') {
        held = [];
        if (!wasSent) return [];
        broken = new UnbrokenError('text_voided', `The answer of ${generationId} was begun again.`, {
          details: { generationId },
        });
        return [];
      }
      if (isDelta(event)) {
        if (event.seq < voidedBefore) return [];
        if (hold) {
          held.push(event);
          return [];
        }
        wasSent = true;
        return [event];
      }
      if (!isTerminal(event)) return [event];
      // A text that was held back and not finished is not shown.
      return event.type === 'generation-end' ? [...held, event] : [event];
    },
  };
}

export async function voidedBefore(log: LogReader, generationId: string): Promise<number> {
  const events = await log.read(generationId, -1);
  return events.findLast((event) => event.type === 'text-reset')?.seq ?? -1;
}

function isDelta({ type }: GenerationEvent): boolean {
  return type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-call-delta';
}
