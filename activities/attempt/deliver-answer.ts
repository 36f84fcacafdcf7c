/**
 * Carries what a provider says into the log: each piece in the same append as the cursor behind it, and text past the
 * guard of what readers hold already.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import type { ProviderEvent } from '../../engine/providers/provider.ts';
import type { Attempt, Progress } from './attempt.ts';
import { createContinuationGuard } from './continuation-guard.ts';
import { createRestartGuard, type GuardedText, type RestartGuard } from './restart-guard.ts';
import type { Checkpoint } from './resume-plan.ts';

export type AnswerPiece = Exclude<ProviderEvent, { type: 'usage' | 'finish' }>;

export class AnswerDelivery {
  readonly #attempt: Attempt;
  readonly #progress: Progress;
  readonly #guard: RestartGuard;
  /** The cursor behind the text that the guard holds back. */
  #heldCheckpoint: Checkpoint | undefined;

  constructor(attempt: Attempt, progress: Progress) {
    this.#attempt = attempt;
    this.#progress = progress;
    const { guardedText, sentText } = attempt.duties;
    this.#guard = sentText === '' ? createRestartGuard(guardedText) : createContinuationGuard(guardedText);
  }

  /** Resolves when the log's writer has room for more. */
  async take(event: AnswerPiece): Promise<void> {
    const { pass, writer, duties } = this.#attempt;
    if (event.type !== 'accepted') pass.noteContent();
    const checkpoint = this.#checkpointOf(event);
    if (event.type === 'text') {
      this.#progress.ownText += event.text;
      this.#heldCheckpoint = checkpoint;
      await this.#write(this.#guard.push(event.text));
    } else if (event.type === 'reasoning') {
      this.#progress.ownText += event.text;
      // Thoughts about how to continue an answer are no part of it.
      if (duties.sentText !== '') return;
      await this.#settle('stop');
      await writer.write({ type: 'reasoning-delta', text: event.text }, checkpoint);
    } else if (event.type === 'tool-call') {
      const { index, id, name, arguments: piece } = event;
      this.#progress.ownText += piece;
      await this.#settle('tool-calls');
      await writer.write({ type: 'tool-call-delta', index, id, name, arguments: piece }, checkpoint);
    } else if (checkpoint !== undefined) {
      // The response's id must be in the log as early as may be: without it a crash now would pay the call twice.
      await writer.write(acceptedEvent(this.#attempt), checkpoint);
    }
  }

  /** The answer is whole: what the guard still holds back goes to the log. */
  async end(reason: FinishReason): Promise<void> {
    await this.#settle(reason);
  }

  /** What is no text cannot wait behind held text: a reset that followed it would void it as well. */
  async #settle(reason: FinishReason): Promise<void> {
    await this.#write(this.#guard.finish(reason));
  }

  async #write({ reset, text }: GuardedText): Promise<void> {
    const { writer } = this.#attempt;
    if (reset) void writer.write({ type: 'text-reset', reason: 'The answer was begun again and differs.' });
    if (text !== '') await writer.write({ type: 'text-delta', text }, this.#heldCheckpoint);
  }

  #checkpointOf({ cursor }: AnswerPiece): Checkpoint | undefined {
    if (cursor === undefined) return undefined;
    this.#progress.cursor = cursor;
    const { step, number, pass } = this.#attempt;
    return { ...step.candidate, attempt: number, cursor, keyId: pass.key.id };
  }
}

/** Carries the provider's cursor into the log before any text; nothing is counted on the way to the first token. */
function acceptedEvent({ step, number, record }: Attempt) {
  const { usage, costMicroUsd } = record;
  return { type: 'usage-update', ...step.candidate, attempt: number, usage, costMicroUsd } as const;
}
