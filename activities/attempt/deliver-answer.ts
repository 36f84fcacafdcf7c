/**
 * Carries a provider's response into the log. Each delta is in the same append as the cursor behind it, and text passes
 * a guard against repeating what readers hold already.
 */
import type { EventBody } from '../../contracts/events.ts';
import type { FinishReason } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ProviderEvent } from '../../engine/providers/provider.ts';
import type { Attempt } from './attempt.ts';
import { checksOutput } from './check-output.ts';
import { createContinuationGuard } from './continuation-guard.ts';
import { HeldLogprobs } from './held-logprobs.ts';
import { MessageText } from './message-text.ts';
import { createRestartGuard, type GuardedText, type RestartGuard } from './restart-guard.ts';
import type { Checkpoint } from './resume-plan.ts';

type TextStart = Extract<EventBody, { type: 'text-start' }>;
type EventOf<Type extends ProviderEvent['type']> = Extract<ProviderEvent, { type: Type }>;
type AnswerEvent = Exclude<ProviderEvent, { type: 'usage' | 'finish' }>;

export class AnswerDelivery {
  readonly #attempt: Attempt;
  readonly #guard: RestartGuard;
  readonly #message: MessageText;
  readonly #logprobs = new HeldLogprobs();
  /** The cursor behind the text that the guard holds back. */
  #heldCheckpoint: Checkpoint | undefined;
  #hasText = false;
  /** A part that began while the text before it was still compared: readers may have its beginning already. */
  #heldStart: TextStart | null = null;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    const { duties, record, resume } = attempt.facts;
    const { guardedText, sentText } = duties;
    const isMidway = resume.strategy === 'reattach' && record.openAttempt?.hasOwnText === true;
    this.#message = new MessageText(checksOutput(attempt), isMidway ? record.lastMessage : '');
    this.#guard = sentText === '' ? createRestartGuard(guardedText) : createContinuationGuard(guardedText);
  }

  /** The last message of this response, as readers get it. */
  get answer(): string {
    return this.#message.text;
  }

  /** Resolves when the log's writer has room for more. */
  async take(event: AnswerEvent): Promise<void> {
    const { pass, writer, duties } = this.#attempt.facts;
    if (event.type !== 'accepted') pass.noteContent();
    const checkpoint = this.#checkpointOf(event);
    if (event.type === 'text') {
      this.#attempt.noteOutput(event.text);
      this.#hasText = true;
      this.#heldCheckpoint = checkpoint;
      const text = this.#message.push(event.text);
      this.#logprobs.hold(text, text === event.text ? event.logprobs : []);
      await this.#write(this.#guard.push(text));
    } else if (event.type === 'reasoning') {
      this.#attempt.noteOutput(event.text);
      // Reasoning about how to continue an answer is not part of it.
      if (duties.sentText !== '') return;
      await this.#settle('stop');
      await writer.write(reasoningDelta(event), checkpoint);
    } else if (event.type === 'reasoning-data') {
      if (duties.sentText !== '' && event.data.callId === undefined) return;
      await this.#settle('stop');
      await this.#writeSeal(event, checkpoint);
    } else if (event.type === 'tool-call') {
      const { index, id, name, arguments: argumentsDelta } = event;
      this.#attempt.noteOutput(argumentsDelta);
      this.#attempt.noteToolCall(id);
      // What the model says before its calls is not the answer that must be JSON.
      await this.#write(this.#guard.push(this.#message.finish()));
      await this.#settle('tool-calls');
      await writer.write({ type: 'tool-call-delta', index, id, name, arguments: argumentsDelta }, checkpoint);
    } else if (event.type === 'text-start') {
      const { part, phase } = event;
      const start: TextStart = { type: 'text-start', part, ...(phase === undefined ? {} : { phase }) };
      if (part === 'message') await this.#beginMessage(phase);
      const isRepeat = !this.#hasText && (duties.sentText !== '' || duties.guardedText !== '');
      this.#heldStart = isRepeat ? start : null;
      if (isRepeat) return;
      await this.#settle('stop');
      await writer.write(start, checkpoint);
    } else if (event.type === 'annotation' || event.type === 'native-part') {
      const { type, format, value } = event;
      await this.#settle('stop');
      await writer.write({ type, format, value: { ...value } }, checkpoint);
    } else if (checkpoint !== undefined) {
      // The response's id must be in the log as early as possible: after a crash without it, the call is paid twice.
      await writer.write(acceptedEvent(this.#attempt), checkpoint);
    }
  }

  /** The answer is whole: writes what the guard still holds back. */
  async end(reason: FinishReason): Promise<void> {
    await this.#write(this.#guard.push(this.#message.finish()));
    await this.#settle(reason);
  }

  async #beginMessage(phase: string | undefined): Promise<void> {
    await this.#write(this.#guard.push(this.#message.finish()));
    this.#message.begin(phase);
  }

  /** Only text may wait behind held text: a reset that came after a tool call would void that call as well. */
  async #settle(reason: FinishReason): Promise<void> {
    await this.#write(this.#guard.finish(reason));
  }

  async #write({ reset, text }: GuardedText): Promise<void> {
    const { writer } = this.#attempt.facts;
    if (reset) {
      void writer.write({ type: 'text-reset', reason: 'The answer was restarted and differs.' });
      if (this.#heldStart !== null) void writer.write(this.#heldStart);
      this.#heldStart = null;
    }
    if (text === '') return;
    const logprobs = [...this.#logprobs.release(text)];
    const delta = { type: 'text-delta' as const, text, ...(logprobs.length === 0 ? {} : { logprobs }) };
    await writer.write(delta, this.#heldCheckpoint);
  }

  async #writeSeal(event: EventOf<'reasoning-data'>, checkpoint: Checkpoint | undefined): Promise<void> {
    const { dependencies, facts } = this.#attempt;
    const { step, pass, writer } = facts;
    const owner = { tenant: step.order.tenant, provider: step.candidate.provider, account: pass.key.id };
    const sealed = await dependencies.seals.seal(owner, event.data);
    // Without it the model starts its next turn without these thoughts.
    if (sealed.length > LIMITS.sealedReasoningChars) return;
    this.#attempt.noteSeal();
    const { callId } = event.data;
    const about = callId === undefined ? itemOf(event) : { callId };
    await writer.write({ type: 'reasoning-seal', ...about, sealed }, checkpoint);
  }

  #checkpointOf({ cursor }: AnswerEvent): Checkpoint | undefined {
    return cursor === undefined ? undefined : this.#attempt.moveTo(cursor);
  }
}

function itemOf({ item }: { readonly item?: number | undefined }) {
  return item === undefined ? {} : { item };
}

/** Item and part 0 are left out, as older logs have them. */
function reasoningDelta({ text, item = 0, part = 0 }: EventOf<'reasoning'>) {
  return {
    type: 'reasoning-delta' as const,
    text,
    ...(item === 0 ? {} : { item }),
    ...(part === 0 ? {} : { part }),
  };
}

/** Carries the provider's cursor into the log before any text; counting tokens would delay the first one. */
function acceptedEvent({ facts }: Attempt) {
  const { step, number, record } = facts;
  const { usage, costMicroUsd } = record;
  return { type: 'usage-update', ...step.candidate, attempt: number, usage, costMicroUsd } as const;
}
