/**
 * One attempt at an answer: one response of one provider. It knows what it reads from and writes to, where it stands in
 * the response, and what it has used so far.
 */
import type { GenerationInput } from '../../contracts/generation.ts';
import { addUsage, type MicroUsd, NO_USAGE, type Usage } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type { Provider, ProviderCursor, ProviderEvent } from '../../engine/providers/provider.ts';
import type { LogWriter } from '../../engine/streaming/event-log.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GenerationRecord } from '../generation-record.ts';
import { type Accounted, estimateUsage } from './account-attempt.ts';
import type { AttemptPass } from './gate-admission.ts';
import type { OpenedSeals } from './open-seals.ts';
import { type Checkpoint, type ResponseDuties, type Resume, responseIdOf } from './resume-plan.ts';
import type { StreamControl } from './running-streams.ts';

/** Fixed when the attempt begins. */
interface AttemptFacts {
  readonly step: StreamStep;
  readonly control: StreamControl;
  readonly provider: Provider;
  /** The key of the call; reports to the gate how the call went. */
  readonly pass: AttemptPass;
  readonly input: GenerationInput;
  /** The seals in `input` that this call may open. */
  readonly openedSeals: OpenedSeals['opened'];
  readonly writer: LogWriter;
  /** The generation before this attempt. */
  readonly record: GenerationRecord;
  readonly number: number;
  /** Output cap of this call, and of the whole generation. */
  readonly maxOutputTokens: number;
  readonly capTokens: number;
  /** True if the call is sent without a cap. */
  readonly isUncapped: boolean;
  readonly resume: Resume;
  readonly duties: ResponseDuties;
}

export class Attempt {
  readonly dependencies: Dependencies;
  readonly facts: AttemptFacts;
  #cursor: ProviderCursor | null;
  /** All output of this response, including what an earlier process delivered of it. */
  #ownText: string;
  /** What the provider has counted so far; null if it has not reported anything. */
  #counted: Usage | null = null;
  /** The tool calls of this response. */
  readonly #callIds = new Set<string>();
  #hasSeals: boolean;
  #hasReceived = false;
  #mayBeBilled: boolean;
  /** What a report counts once: what was sent, and the output up to the report before. */
  #reported: { readonly sent: Usage; readonly chars: number; readonly outputTokens: number } | null = null;

  constructor(dependencies: Dependencies, facts: AttemptFacts) {
    this.dependencies = dependencies;
    this.facts = facts;
    const { resume, record } = facts;
    const isReattached = resume.strategy === 'reattach';
    this.#cursor = isReattached ? resume.cursor : null;
    this.#ownText = isReattached ? (record.openAttempt?.ownText ?? '') : '';
    this.#mayBeBilled = isReattached;
    this.#hasSeals = isReattached && record.hasReasoning;
    for (const { id } of this.#cursor?.toolCalls ?? []) this.#callIds.add(id);
  }

  /** The provider's position in its own stream; null if it cannot be resumed. */
  get cursor(): ProviderCursor | null {
    return this.#cursor;
  }

  get ownText(): string {
    return this.#ownText;
  }

  /** True once this process has received anything from the provider. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** True if the provider may bill the call: it has left, and was not refused. */
  get mayBeBilled(): boolean {
    return this.#mayBeBilled;
  }

  noteCallLeaves(): void {
    this.#mayBeBilled = true;
  }

  /** The provider cannot have begun an answer. */
  noteCallRefused(): void {
    this.#mayBeBilled = false;
  }

  noteReceived(event: ProviderEvent): void {
    this.#hasReceived = true;
    if (event.type === 'usage') this.#counted = event.usage;
  }

  noteOutput(text: string): void {
    this.#ownText += text;
  }

  get callIds(): readonly string[] {
    return [...this.#callIds];
  }

  /** Whether its next turn needs thoughts that only the vendor can read. */
  get hasSeals(): boolean {
    return this.#hasSeals;
  }

  noteToolCall(id: string): void {
    this.#callIds.add(id);
  }

  noteSeal(): void {
    this.#hasSeals = true;
  }

  /** @returns what must be in the log beside the text up to this cursor. */
  moveTo(cursor: ProviderCursor): Checkpoint {
    this.#cursor = cursor;
    const { step, number, pass } = this.facts;
    return { ...step.candidate, attempt: number, cursor, keyId: pass.key.id };
  }

  /** What the provider has counted, completed by an estimate. */
  async usageSoFar(): Promise<Usage> {
    const counted = this.#counted;
    if (counted === null) return this.estimateUsage();
    if (!counted.estimated) return counted;
    const [outputTokens = 0] = await this.dependencies.countTexts([this.#ownText]);
    return { ...counted, outputTokens: Math.max(counted.outputTokens, outputTokens) };
  }

  /**
   * The same for a report while the response runs, at the cost of what is new since the report before. A word that a
   * report cuts in two may count a token more.
   */
  async usageToReport(): Promise<Usage> {
    const { input, duties } = this.facts;
    const { countTexts } = this.dependencies;
    const counted = this.#counted;
    if (counted !== null && !counted.estimated) return counted;
    const texts = { sentText: duties.sentText, ownText: '' };
    const before = this.#reported ?? {
      sent: await estimateUsage(input, texts, countTexts),
      chars: 0,
      outputTokens: 0,
    };
    const output = this.#ownText.slice(before.chars);
    const [tokens = 0] = await countTexts([output]);
    const outputTokens = before.outputTokens + tokens;
    this.#reported = { ...before, chars: before.chars + output.length, outputTokens };
    const usage = counted ?? before.sent;
    return { ...usage, outputTokens: Math.max(usage.outputTokens, outputTokens) };
  }

  /** What the response has used by our tokenizer. */
  async estimateUsage(): Promise<Usage> {
    const { input, duties } = this.facts;
    const texts = { sentText: duties.sentText, ownText: this.#ownText };
    return this.#mayBeBilled ? estimateUsage(input, texts, this.dependencies.countTexts) : NO_USAGE;
  }

  costOf(usage: Usage): MicroUsd {
    const { provider, model } = this.facts.step.candidate;
    return this.dependencies.priceOf(provider, model, usage);
  }

  /** Usage and cost of the whole generation, if this attempt has used so much. */
  totals(usage: Usage): Accounted {
    const { record } = this.facts;
    return {
      usage: addUsage(record.usage, usage),
      costMicroUsd: record.costMicroUsd + this.costOf(usage),
    };
  }

  /** Stops the response at the provider. @returns what the provider says it has used; null if it does not say. */
  async stopAtProvider(): Promise<Usage | null> {
    const { provider, pass } = this.facts;
    if (this.#cursor === null) return null;
    return (await provider.stop?.(this.#cursor.responseId, pass.key.secret)) ?? null;
  }

  /**
   * The log takes no more from this attempt. If its checkpoint names this response, the attempt that now owns the log
   * resumes or stops it. Otherwise no process knows of the response: it would run to its end, paid and read by none, so
   * it is stopped here.
   */
  async abandonResponse(): Promise<void> {
    if (this.#cursor === null) return;
    const { generationId } = this.facts.step.order;
    const head = await this.dependencies.log.head(generationId).catch(() => undefined);
    // An unreachable log may hold the checkpoint after all: the response is left to the next attempt.
    if (head === undefined || responseIdOf(head?.checkpoint) === this.#cursor.responseId) return;
    await this.stopAtProvider().catch(() => null);
  }
}
