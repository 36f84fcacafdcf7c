/**
 * Judges a simulated run by the answers of the simulated providers and by the log. It folds the events by itself and
 * trusts none of the product's own readers of a log.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { charsIn, type Said, saidIn, textIn } from './answers.ts';
import type { ModelResponse, ModelServer } from './model-server.ts';

const TERMINAL: ReadonlySet<string> = new Set(['generation-end', 'generation-error', 'generation-cancel']);

/** What a reader holds. */
class Reader {
  text = '';
  reasoning = '';
  calls: string[] = [];

  take(event: Omit<GenerationEvent, 'seq' | 'at'> | GenerationEvent): number {
    const body = event as GenerationEvent;
    if (body.type === 'text-delta') {
      this.text += body.text;
      return body.text.length;
    }
    if (body.type === 'reasoning-delta') {
      this.reasoning += body.text;
      return body.text.length;
    }
    if (body.type === 'tool-call-delta') {
      this.calls[body.index] = (this.calls[body.index] ?? `${body.id} ${body.name} `) + body.arguments;
      return body.arguments.length;
    }
    if (body.type === 'text-reset') {
      this.text = '';
      this.reasoning = '';
      this.calls = [];
    }
    return 0;
  }

  held(): Said {
    return { text: this.text, reasoning: this.reasoning, calls: [...this.calls] };
  }
}

interface StoredCursor {
  readonly attempt?: number;
  readonly cursor?: { readonly responseId: string; readonly sequenceNumber: number };
}

/** No attempt has this number. */
const CLOSED = 0;

/** Watches one log as it grows. */
export class LogJudge {
  readonly generationId: string;
  readonly faults: string[] = [];
  readonly #models: ModelServer;
  readonly #reader = new Reader();
  /** The log's creation has written the first event. */
  #next = 1;
  #attempt = CLOSED;
  /** What a reader held when the attempt of this number began. */
  readonly #atStart = new Map<number, Said>();
  #leader: string | null = null;
  /** Characters that providers of this generation, and not its leader, have put into the log; voided ones too. */
  deliveredChars = 0;
  end: GenerationEvent | null = null;
  /** Responses that the log has named in a checkpoint. */
  readonly named = new Set<string>();
  #checkpoint: StoredCursor | undefined;
  /** What followers may hold at their end: the text at this one's end, and wherever its cap was raised. */
  readonly wholeTexts: string[] = [];

  constructor(generationId: string, models: ModelServer) {
    this.generationId = generationId;
    this.#models = models;
  }

  get held(): Said {
    return this.#reader.held();
  }

  /** What has just been appended, with what the log holds as its checkpoint now. */
  appended(events: readonly GenerationEvent[], checkpoint: unknown): void {
    for (const event of events) {
      if (event.type === 'provider-error') this.#checkGivenUp(event);
      this.#take(event);
    }
    this.#checkpoint = checkpoint as StoredCursor | undefined;
    const named = this.#checkpoint?.cursor?.responseId;
    if (named !== undefined) this.named.add(named);
    this.#checkCheckpoint(this.#checkpoint);
  }

  /** A response that the log names is resumed when its worker is gone, and not paid for a second time. */
  #checkGivenUp({ code, attempt }: Extract<GenerationEvent, { type: 'provider-error' }>): void {
    const { attempt: named, cursor } = this.#checkpoint ?? {};
    if (code !== 'attempt_interrupted' || cursor === undefined || named !== attempt) return;
    if (this.#models.find(cursor.responseId)?.canReattach === true) {
      this.faults.push(`the log names ${cursor.responseId}, which was given up, and another call is paid`);
    }
  }

  #take(event: GenerationEvent): void {
    if (event.seq !== this.#next) this.faults.push(`seq ${event.seq} where ${this.#next} was expected`);
    this.#next = event.seq + 1;
    if (this.end !== null) this.faults.push(`${event.type} after ${this.end.type}`);
    if (event.type === 'provider-start') {
      this.#attempt = event.attempt;
      this.#leader = null;
      if (event.strategy !== 'reattach') this.#atStart.set(event.attempt, this.#reader.held());
    }
    // Until the next attempt begins, the checkpoint is of a response that nobody continues.
    const isClosed = event.type === 'cap-raise' || (event.type === 'provider-error' && !event.resumable);
    if (isClosed) this.#attempt = CLOSED;
    if (event.type === 'cache-join') this.#leader = event.leader;
    if (event.type === 'cache-leave') this.#leader = null;
    const chars = this.#reader.take(event);
    if (this.#leader === null) this.deliveredChars += chars;
    if (event.type === 'generation-end' || event.type === 'cap-raise')
      this.wholeTexts.push(this.#reader.text);
    if (TERMINAL.has(event.type)) this.end = event;
  }

  /** The checkpoint of the attempt that writes names exactly the text that the log holds of its response. */
  #checkCheckpoint(stored: StoredCursor | undefined): void {
    if (stored?.cursor === undefined || stored.attempt !== this.#attempt || this.end !== null) return;
    const response = this.#models.find(stored.cursor.responseId);
    if (response === undefined) {
      this.faults.push(`the checkpoint names the unknown response ${stored.cursor.responseId}`);
      return;
    }
    const { whole, deltas } = response.answer;
    const behind = textIn(deltas, stored.cursor.sequenceNumber);
    const { text } = this.#reader;
    const leftChars = textIn(deltas).length - behind.length;
    const isExact =
      whole === undefined
        ? text === response.base + behind
        : text === whole.slice(0, Math.max(response.base.length, whole.length - leftChars));
    // A restarted answer is held back as long as it repeats what readers have.
    const isHeldBack = response.strategy === 'restart' && text.startsWith(behind);
    if (!isExact && !isHeldBack) {
      this.faults.push(
        `the checkpoint stands at ${stored.cursor.sequenceNumber} of ${response.id}, ` +
          `which is ${JSON.stringify(response.base + behind)}, and the text at ${JSON.stringify(text)}`,
      );
    }
  }

  /** @param wholeTexts what the readers of a followed generation may hold at its end. */
  verdict(wholeTexts: (generationId: string) => readonly string[]): string[] {
    if (this.end === null) return [...this.faults, 'the log has no end'];
    const { type } = this.end;
    const fault = type === 'generation-end' ? this.#judgeWhole(wholeTexts) : this.#judgePart();
    return fault === null ? this.faults : [...this.faults, fault];
  }

  #judgeWhole(wholeTexts: (generationId: string) => readonly string[]): string | null {
    const { text, reasoning, calls } = this.#reader;
    if (this.#leader !== null) {
      const wanted = wholeTexts(this.#leader);
      return wanted.includes(text) ? null : `a follower holds ${quote(text)} and its leader ${quote(wanted)}`;
    }
    const response = this.#responseOf(this.#attempt);
    if (response === undefined) return 'the answer is whole and no response was made';
    const contents = saidIn(response.answer.deltas);
    const before = this.#atStart.get(this.#attempt);
    const isContinuation = response.strategy === 'prefill' || response.strategy === 'instruct';
    const base = isContinuation ? response.base : '';
    if (isContinuation && base !== before?.text) {
      return `the call continued ${quote(base)} where readers held ${quote(before?.text ?? '')}`;
    }
    if (this.#isJson && isContinuation) return 'an answer in JSON was continued as if it were prose';
    const wanted: Said = {
      text: response.answer.whole ?? base + contents.text,
      reasoning: isContinuation ? (before?.reasoning ?? '') : contents.reasoning,
      calls: contents.calls,
    };
    const held: Said = { text, reasoning, calls };
    return JSON.stringify(held) === JSON.stringify(wanted)
      ? null
      : `the reader holds ${quote(held)} and ${response.id} (${response.strategy}) said ${quote(wanted)}`;
  }

  /** An answer that was stopped is the beginning of one that a provider gave. */
  #judgePart(): string | null {
    const { text, calls } = this.#reader;
    const isPartOf = (whole: Said) =>
      whole.text.startsWith(text) &&
      calls.every((call, index) => whole.calls[index]?.startsWith(call) ?? false);
    const candidates = this.#models.responses.map(({ base, answer }) => {
      const contents = saidIn(answer.deltas);
      return { ...contents, text: answer.whole ?? base + contents.text };
    });
    const isPart = candidates.length === 0 ? text === '' && calls.length === 0 : candidates.some(isPartOf);
    return isPart || (text === '' && calls.length === 0)
      ? null
      : `the reader of a stopped answer holds ${quote(this.held)}, which no provider said`;
  }

  get #isJson(): boolean {
    return this.#models.kind === 'json';
  }

  #responseOf(attempt: number): ModelResponse | undefined {
    return this.#models.responses.find(({ key }) => key === `${this.generationId}:${attempt}`);
  }
}

/** What generations that share calls have booked together lies between what readers got and what providers made. */
export function judgeUsage(judges: readonly LogJudge[], models: ModelServer): string[] {
  let booked = 0;
  for (const { end } of judges) {
    if (end !== null && 'usage' in end) booked += end.usage.outputTokens + end.usage.reasoningTokens;
  }
  const delivered = judges.reduce((sum, { deliveredChars }) => sum + deliveredChars, 0);
  const made = models.responses.reduce((sum, { answer }) => sum + charsIn(answer.deltas), 0);
  if (booked < delivered) return [`${booked} output tokens were booked and readers got ${delivered}`];
  return booked > made ? [`${booked} output tokens were booked and the providers made ${made}`] : [];
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}
