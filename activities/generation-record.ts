/** What the log says of a generation so far. A pure fold over its events; the log is the only record of attempts. */
import type { AttemptCharge } from '../contracts/budgets.ts';
import { isErrorCode } from '../contracts/errors.ts';
import type { GenerationEvent } from '../contracts/events.ts';
import { isTerminal } from '../contracts/fold-events.ts';
import type { Candidate, ResumeStrategy } from '../contracts/generation.ts';
import { addUsage, type MicroUsd, NO_USAGE, totalTokens, type Usage } from '../contracts/money.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';

export interface OpenAttempt extends Candidate {
  readonly attempt: number;
  readonly strategy: ResumeStrategy;
  /** How its response was asked for. A reattach reads the same response, so it leaves this as it is. */
  readonly begunAs: ResumeStrategy;
  /** The text that readers held when its response was asked for. */
  readonly heldText: string;
  /** Whether readers were given anything of its response, and whether any of that was text. */
  readonly hasOutput: boolean;
  readonly hasOwnText: boolean;
  /** All that this attempt itself delivered: text, reasoning, arguments of tools. What it used is estimated by it. */
  readonly ownText: string;
}

export interface GenerationRecord {
  /** The text that a reader holds now. */
  readonly text: string;
  /** How much of it, at its beginning, another generation has written. */
  readonly continuedChars: number;
  /** Whether a reader holds reasoning, or (parts of) tool calls. */
  readonly hasReasoning: boolean;
  readonly hasToolCalls: boolean;
  readonly attempts: number;
  /** An attempt whose end is not in the log: its process died, or its error left the response running. */
  readonly openAttempt: OpenAttempt | null;
  /** Usage and cost of the attempts that have ended. */
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** The same, attempt by attempt: what the budgets are charged. */
  readonly charges: readonly AttemptCharge[];
  /** The part of it that is no attempt's: judges and shares of leaders' answers. It is booked with the end. */
  readonly besideAttempts: { readonly tokens: number; readonly costMicroUsd: MicroUsd };
  /** The cap that the answer was last continued with; 0 where it never was. */
  readonly capTokens: number;
  readonly budgetNoted: boolean;
  /** The generation whose answer it follows now, and may owe a share of; null where it follows none. */
  readonly follows: string | null;
  readonly errors: readonly (Candidate & { readonly code: string })[];
  readonly outcome: GenerationOutcome | null;
}

export function readRecord(events: readonly GenerationEvent[]): GenerationRecord {
  let text = '';
  let continuedChars = 0;
  let hasReasoning = false;
  let hasToolCalls = false;
  let attempts = 0;
  let open = null as OpenAttempt | null;
  let usage = NO_USAGE;
  let costMicroUsd = 0;
  let budgetNoted = false;
  let capTokens = 0;
  let follows: string | null = null;
  // A judge that was asked, and whose judgement was lost with its process, is paid as estimated.
  let asked = null as { readonly usage: Usage; readonly costMicroUsd: MicroUsd } | null;
  const charges: AttemptCharge[] = [];
  const errors: (Candidate & { code: string })[] = [];
  for (const event of events) {
    switch (event.type) {
      case 'generation-continue':
        continuedChars = event.chars;
        break;
      case 'budget-reserve':
        budgetNoted = true;
        break;
      case 'provider-start': {
        const { provider, model, attempt, strategy } = event;
        // A reattached response is the same attempt going on: what it delivered before is still its own.
        const begun = strategy === 'reattach' && open !== null ? open : newResponse(strategy, text);
        open = { ...begun, provider, model, attempt, strategy };
        attempts = attempt;
        break;
      }
      case 'text-delta':
        text += event.text;
        open = withOutput(open, event.text, 'text');
        break;
      case 'reasoning-delta':
        hasReasoning = true;
        open = withOutput(open, event.text, 'other');
        break;
      case 'tool-call-delta':
        hasToolCalls = true;
        open = withOutput(open, event.arguments, 'other');
        break;
      case 'text-reset':
        text = '';
        continuedChars = 0;
        hasReasoning = false;
        hasToolCalls = false;
        break;
      case 'cache-ask':
        asked = event;
        break;
      case 'cache-judge':
        asked = null;
        usage = addUsage(usage, event.usage);
        costMicroUsd += event.costMicroUsd;
        break;
      case 'cache-join':
        follows = event.leader;
        break;
      case 'cache-leave':
        follows = null;
        usage = addUsage(usage, event.share?.usage ?? NO_USAGE);
        costMicroUsd += event.share?.costMicroUsd ?? 0;
        break;
      case 'provider-error':
        errors.push({ provider: event.provider, model: event.model, code: event.code });
        usage = addUsage(usage, event.usage);
        costMicroUsd += event.costMicroUsd;
        if (!event.resumable) {
          charges.push(chargeOf(event));
          open = null;
        }
        break;
      case 'cap-raise':
        usage = addUsage(usage, event.usage);
        costMicroUsd += event.costMicroUsd;
        charges.push(chargeOf(event));
        capTokens = event.maxOutputTokens;
        open = null;
        break;
      default:
        break;
    }
  }
  const last = events.at(-1);
  usage = addUsage(usage, asked?.usage ?? NO_USAGE);
  costMicroUsd += asked?.costMicroUsd ?? 0;
  return {
    text,
    continuedChars,
    hasReasoning,
    hasToolCalls,
    attempts,
    openAttempt: open,
    usage,
    costMicroUsd,
    charges,
    besideAttempts: {
      tokens: charges.reduce((left, charge) => left - charge.tokens, totalTokens(usage)),
      costMicroUsd: charges.reduce((left, charge) => left - charge.costMicroUsd, costMicroUsd),
    },
    capTokens,
    budgetNoted,
    follows,
    errors,
    outcome: last === undefined ? null : outcomeOf(last),
  };
}

export function chargeOf({
  provider,
  model,
  attempt,
  usage,
  costMicroUsd,
}: Candidate & { attempt: number; usage: Usage; costMicroUsd: MicroUsd }): AttemptCharge {
  const { estimated } = usage;
  return { attempt, provider, model, tokens: totalTokens(usage), costMicroUsd, estimated };
}

function newResponse(begunAs: ResumeStrategy, heldText: string) {
  return { begunAs, heldText, hasOutput: false, hasOwnText: false, ownText: '' };
}

function withOutput(open: OpenAttempt | null, piece: string, kind: 'text' | 'other'): OpenAttempt | null {
  if (open === null) return null;
  const hasOwnText = open.hasOwnText || kind === 'text';
  return { ...open, hasOutput: true, hasOwnText, ownText: open.ownText + piece };
}

/** The record after a `text-reset`: readers hold nothing. */
export function voided(record: GenerationRecord): GenerationRecord {
  return { ...record, text: '', continuedChars: 0, hasReasoning: false, hasToolCalls: false };
}

/** The outcome that a terminal event tells; null for any other event. */
export function outcomeOf(event: GenerationEvent): GenerationOutcome | null {
  if (!isTerminal(event)) return null;
  if (event.type === 'generation-end') {
    const { provider, model, finishReason, usage, costMicroUsd, attempts, cached, degraded, seq } = event;
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
      lastSeq: seq,
      errorCode: null,
    };
  }
  if (event.type !== 'generation-error' && event.type !== 'generation-cancel') return null;
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
