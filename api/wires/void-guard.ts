/**
 * For formats that cannot void text. Leaves out text that was void before the client connected. When text that was
 * already sent becomes void, the stream must end with an error: two answers are never mixed.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { LogReader } from '../../engine/streaming/event-log.ts';

export class VoidGuard {
  readonly #voidedBefore: number;
  #hasSentText = false;
  #generationId = '';
  #broken: UnbrokenError | null = null;

  /** @param voidedBefore text with a lower seq is void; -1 for none. */
  constructor(voidedBefore: number) {
    this.#voidedBefore = voidedBefore;
  }

  /** Set once text that was admitted has become void. */
  get broken(): UnbrokenError | null {
    return this.#broken;
  }

  /** Whether to project the event. */
  admit(event: GenerationEvent): boolean {
    if (this.#broken !== null) return false;
    if (event.type === 'generation-start') this.#generationId = event.generationId;
    if (event.type === 'text-reset' && this.#hasSentText) {
      const message = `The answer of ${this.#generationId} was restarted.`;
      this.#broken = new UnbrokenError('text_voided', message, {
        details: { generationId: this.#generationId },
      });
      return false;
    }
    if (!CONTENT.has(event.type)) return true;
    if (event.seq < this.#voidedBefore) return false;
    this.#hasSentText = true;
    return true;
  }
}

/**
 * @param voidUnfinished whether all text of a generation that has not ended well counts as void.
 * @returns the seq before which text is void now.
 */
export async function findVoidedBefore(
  log: LogReader,
  generationId: string,
  { voidUnfinished }: { readonly voidUnfinished: boolean },
): Promise<number> {
  const events = await log.readMerged(generationId);
  if (voidUnfinished && events.at(-1)?.type !== 'generation-end') return Number.POSITIVE_INFINITY;
  return events.findLast((event) => event.type === 'text-reset')?.seq ?? -1;
}

const CONTENT: ReadonlySet<GenerationEvent['type']> = new Set([
  'text-delta',
  'text-start',
  'annotation',
  'native-part',
  'reasoning-delta',
  'tool-call-delta',
]);
