/** What the log says of a generation so far. A pure fold over its events; the log is the only record of attempts. */
import assert from 'node:assert/strict';
import type { AttemptCharge } from '../contracts/budgets.ts';
import { isErrorCode } from '../contracts/errors.ts';
import type { GenerationEvent } from '../contracts/events.ts';
import { isTerminal } from '../contracts/fold-events.ts';
import type { Candidate, ResumeStrategy } from '../contracts/generation.ts';
import { type MicroUsd, totalTokens, type Usage } from '../contracts/money.ts';
import { addUsed, NOTHING_USED, type Used } from '../contracts/share.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';

export interface OpenAttempt extends Candidate {
  readonly attempt: number;
  readonly strategy: ResumeStrategy;
  /** How its response was requested. A reattach reads the same response, so it does not change this. */
  readonly begunAs: ResumeStrategy;
  /** The text that readers held when its response was requested. */
  readonly heldText: string;
  /** Whether readers have anything of its response, and whether any of that is text. */
  readonly hasOutput: boolean;
  readonly hasOwnText: boolean;
  /** All output of this attempt: text, reasoning, tool arguments. Its usage is estimated from it. */
  readonly ownText: string;
}

/** An answer that did not fit its schema. */
interface InvalidAnswer {
  readonly text: string;
  /** Why, as the log has it. */
  readonly message: string;
}

export interface GenerationRecord {
  /** The text that a reader holds now. */
  readonly text: string;
  /** Its last message: all of it, unless the vendor began another one. */
  readonly lastMessage: string;
  /** The last answer that did not fit its schema, and whether a reader holds it now. */
  readonly invalid: InvalidAnswer | null;
  readonly holdsInvalid: boolean;
  /** How many characters at its beginning another generation has written. */
  readonly continuedChars: number;
  /** Whether a reader holds reasoning or other parts beside the text, or (parts of) tool calls. */
  readonly hasReasoning: boolean;
  readonly hasToolCalls: boolean;
  readonly attempts: number;
  /** An attempt whose end is not in the log: its process died, or its error left the response running. */
  readonly openAttempt: OpenAttempt | null;
  /** Usage and cost of the attempts that have ended. */
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** The same per attempt: what the budgets are charged. */
  readonly charges: readonly AttemptCharge[];
  /** The rest of it: judges and shares of leaders' answers. It is booked with the end of the generation. */
  readonly besideAttempts: { readonly tokens: number; readonly costMicroUsd: MicroUsd };
  /** The cap that the answer was last continued with; 0 if it never was. */
  readonly capTokens: number;
  readonly budgetNoted: boolean;
  /** The leader that it follows now, and may owe a share to; null if it follows none. */
  readonly follows: string | null;
  readonly errors: readonly (Candidate & { readonly code: string })[];
  readonly outcome: GenerationOutcome | null;
}

export function readRecord(events: readonly GenerationEvent[]): GenerationRecord {
  const fold = new RecordFold();
  for (const event of events) fold.push(event);
  return fold.record();
}

/** The fields of `GenerationRecord`, one event after another. */
class RecordFold {
  #text = '';
  #messageFrom = 0;
  #invalid: InvalidAnswer | null = null;
  #holdsInvalid = false;
  #continuedChars = 0;
  #hasReasoning = false;
  #hasToolCalls = false;
  #attempts = 0;
  #open: OpenAttempt | null = null;
  #used = NOTHING_USED;
  /** A judge that was asked and has not answered: if its process died, it is paid as estimated. */
  #judging = NOTHING_USED;
  #budgetNoted = false;
  #capTokens = 0;
  #follows: string | null = null;
  #last: GenerationEvent | null = null;
  readonly #charges: AttemptCharge[] = [];
  readonly #errors: (Candidate & { readonly code: string })[] = [];

  push(event: GenerationEvent): void {
    assert(this.#last === null || !isTerminal(this.#last), 'no event follows the terminal one');
    assert(this.#last === null || event.seq > this.#last.seq, 'the events of a log are in order');
    this.#last = event;
    switch (event.type) {
      case 'generation-continue':
        this.#continuedChars = event.chars;
        break;
      case 'budget-reserve':
        this.#budgetNoted = true;
        break;
      case 'provider-start':
        this.#beginAttempt(event);
        break;
      case 'text-delta':
        this.#text += event.text;
        this.#addOutput(event.text, { isText: true });
        break;
      case 'text-start':
        if (event.part === 'message') this.#messageFrom = this.#text.length;
        break;
      case 'reasoning-delta':
        this.#hasReasoning = true;
        this.#addOutput(event.text, { isText: false });
        break;
      case 'native-part':
        this.#hasReasoning = true;
        break;
      case 'reasoning-seal':
        this.#hasReasoning = true;
        this.#addOutput('', { isText: false });
        break;
      case 'tool-call-delta':
        this.#hasToolCalls = true;
        this.#addOutput(event.arguments, { isText: false });
        break;
      case 'text-reset':
        this.#text = '';
        this.#messageFrom = 0;
        this.#holdsInvalid = false;
        this.#continuedChars = 0;
        this.#hasReasoning = false;
        this.#hasToolCalls = false;
        break;
      case 'provider-error':
        this.#errors.push({ provider: event.provider, model: event.model, code: event.code });
        if (event.code === 'output_invalid') this.#noteInvalid(event.message);
        // After a resumable error the response runs on: its end has the rest of the usage.
        if (event.resumable) this.#addUsed(event);
        else this.#endAttempt(event);
        break;
      case 'cap-raise':
        this.#endAttempt(event);
        this.#capTokens = event.maxOutputTokens;
        break;
      default:
        this.#pushCache(event);
    }
  }

  #noteInvalid(message: string): void {
    this.#invalid = { text: this.#text.slice(this.#messageFrom), message };
    this.#holdsInvalid = true;
  }

  #pushCache(event: GenerationEvent): void {
    switch (event.type) {
      case 'cache-ask':
        this.#judging = event;
        break;
      case 'cache-judge':
        this.#judging = NOTHING_USED;
        this.#addUsed(event);
        break;
      case 'cache-join':
        this.#follows = event.leader;
        break;
      case 'cache-leave':
        this.#follows = null;
        if (event.share !== undefined) this.#addUsed(event.share);
        break;
      default:
        break;
    }
  }

  #beginAttempt({
    provider,
    model,
    attempt,
    strategy,
  }: Extract<GenerationEvent, { type: 'provider-start' }>): void {
    assert(attempt >= this.#attempts, `attempt ${attempt} does not come after attempt ${this.#attempts}`);
    // A reattached response is the same attempt: what it delivered before is still its output.
    const begun =
      strategy === 'reattach' && this.#open !== null ? this.#open : newResponse(strategy, this.#text);
    this.#open = { ...begun, provider, model, attempt, strategy };
    this.#attempts = attempt;
  }

  #addOutput(output: string, { isText }: { readonly isText: boolean }): void {
    if (this.#open === null) return;
    const { hasOwnText, ownText } = this.#open;
    this.#open = {
      ...this.#open,
      hasOutput: true,
      hasOwnText: hasOwnText || isText,
      ownText: ownText + output,
    };
  }

  #endAttempt(ended: Parameters<typeof chargeOf>[0]): void {
    this.#addUsed(ended);
    this.#charges.push(chargeOf(ended));
    this.#open = null;
  }

  #addUsed(used: Used): void {
    assert(used.costMicroUsd >= 0 && totalTokens(used.usage) >= 0, 'nothing used is negative');
    this.#used = addUsed(this.#used, used);
  }

  record(): GenerationRecord {
    const used = addUsed(this.#used, this.#judging);
    const charges = this.#charges;
    return {
      text: this.#text,
      lastMessage: this.#text.slice(this.#messageFrom),
      invalid: this.#invalid,
      holdsInvalid: this.#holdsInvalid,
      continuedChars: this.#continuedChars,
      hasReasoning: this.#hasReasoning,
      hasToolCalls: this.#hasToolCalls,
      attempts: this.#attempts,
      openAttempt: this.#open,
      usage: used.usage,
      costMicroUsd: used.costMicroUsd,
      charges,
      besideAttempts: {
        tokens: charges.reduce((left, { usage }) => left - totalTokens(usage), totalTokens(used.usage)),
        costMicroUsd: charges.reduce((left, charge) => left - charge.costMicroUsd, used.costMicroUsd),
      },
      capTokens: this.#capTokens,
      budgetNoted: this.#budgetNoted,
      follows: this.#follows,
      errors: this.#errors,
      outcome: this.#last === null ? null : outcomeOf(this.#last),
    };
  }
}

export function chargeOf({
  provider,
  model,
  attempt,
  usage,
  costMicroUsd,
}: Candidate & { attempt: number; usage: Usage; costMicroUsd: MicroUsd }): AttemptCharge {
  return { attempt, provider, model, usage, costMicroUsd };
}

function newResponse(begunAs: ResumeStrategy, heldText: string) {
  return { begunAs, heldText, hasOutput: false, hasOwnText: false, ownText: '' };
}

/** The record after a `text-reset`: readers hold nothing. */
export function voidText(record: GenerationRecord): GenerationRecord {
  const held = { text: '', lastMessage: '', holdsInvalid: false };
  return { ...record, ...held, continuedChars: 0, hasReasoning: false, hasToolCalls: false };
}

/** The outcome that a terminal event tells; null for any other event. */
export function outcomeOf(event: GenerationEvent): GenerationOutcome | null {
  if (!isTerminal(event)) return null;
  if (event.type === 'generation-end') {
    const { provider, model, finishReason, usage, costMicroUsd, attempts, cached, degraded, saved, seq } =
      event;
    return {
      status: 'completed',
      provider,
      model,
      finishReason,
      usage,
      costMicroUsd,
      attempts,
      cached,
      ...(degraded === true ? { degraded } : {}),
      ...(saved === undefined ? {} : { saved }),
      lastSeq: seq,
      errorCode: null,
    };
  }
  const code = event.type === 'generation-error' ? event.error.code : 'cancelled';
  return {
    status: event.type === 'generation-error' ? 'failed' : 'cancelled',
    provider: null,
    model: null,
    finishReason: null,
    cached: false,
    usage: event.usage,
    costMicroUsd: event.costMicroUsd,
    attempts: event.attempts,
    lastSeq: event.seq,
    errorCode: isErrorCode(code) ? code : 'internal',
  };
}
