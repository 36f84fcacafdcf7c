/**
 * The providers' side. A response that can be reattached runs on when its reader is gone; any other ends with its
 * connection. What was said stays known here: the judge compares it with what readers got.
 */
import { type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { NO_USAGE, type Usage } from '../../contracts/money.ts';
import type {
  Provider,
  ProviderCall,
  ProviderCapabilities,
  ProviderCursor,
  ProviderEvent,
} from '../../engine/providers/provider.ts';
import {
  type Answer,
  type AnswerDelta,
  charsIn,
  makeAnswer,
  makeContinuation,
  type QuestionKind,
} from './answers.ts';
import type { Label, Lane, World } from './world.ts';

export interface ModelResponse {
  readonly id: string;
  /** `<generation id>:<attempt>`. */
  readonly key: string;
  readonly strategy: ProviderCall['resume']['strategy'];
  /** The text that it continues. */
  readonly base: string;
  readonly answer: Answer;
  /** Pieces that were sent or, where it runs without a reader, made. */
  made: number;
  isGone: boolean;
  /** It runs on when nobody reads it. */
  readonly canReattach: boolean;
  /** The process that has called is dead: nothing else can be expected of it. */
  readonly isOrphaned: () => boolean;
  /** Its last delta was read. */
  isRead: boolean;
  /** A process has asked to stop it. */
  isStopping: boolean;
  /** Why its reader has left; null while it reads. */
  leftBecause: string | null;
}

/** The process that calls: its lanes hold what is on its wires. */
interface Caller {
  readonly newLane: () => Lane;
  readonly isOrphaned: () => boolean;
}

/** How a call goes wrong: refused, or broken before the delta of this number. */
interface Break {
  readonly at: number;
  readonly code: ErrorCode;
}

const INPUT_TOKENS = 10;

export class ModelServer {
  readonly responses: ModelResponse[] = [];
  /** Calls that no product should make. */
  readonly faults: string[] = [];
  readonly #world: World;
  readonly kind: QuestionKind;

  constructor(world: World, kind: QuestionKind) {
    this.#world = world;
    this.kind = kind;
  }

  find(id: string): ModelResponse | undefined {
    return this.responses.find((response) => response.id === id);
  }

  /** The same provider as one process sees it. */
  connect(name: string, capabilities: ProviderCapabilities, process: Caller): Provider {
    return {
      name,
      capabilities: () => capabilities,
      silenceMs: () => 0,
      stream: (call) => this.#stream(call, capabilities, process),
      stop: async (responseId) => {
        const response = this.find(responseId);
        if (response !== undefined) response.isStopping = true;
        return this.#world.later(
          process.newLane(),
          () => `${name} stops ${responseId}`,
          () => this.#stop(responseId),
        );
      },
    };
  }

  /**
   * Responses that their readers left to others, though no log names them: nobody can resume or stop them, and they
   * are paid beside those that follow. If a worker was killed, or a response did not come in time, it cannot be helped.
   */
  lostTrackOf(named: ReadonlySet<string>): ModelResponse[] {
    return this.responses.filter(
      ({ id, canReattach, isGone, isRead, isStopping, isOrphaned, leftBecause }) =>
        canReattach &&
        leftBecause?.includes('(leave)') === true &&
        !(isGone || isRead || isStopping || isOrphaned() || named.has(id)),
    );
  }

  async *#stream(
    call: ProviderCall,
    capabilities: ProviderCapabilities,
    process: Caller,
  ): AsyncGenerator<ProviderEvent> {
    const world = this.#world;
    const lane = process.newLane();
    const abort = new Abort(call.signal);
    const next = (label: Label) => abort.orWhen((happen) => world.add(lane, label, happen));
    const cursor = call.resume.strategy === 'reattach' ? call.resume.cursor : null;
    await next(() => `the call ${call.idempotencyKey} arrives (${call.resume.strategy})`);
    const broken = this.#plannedBreak(call);
    if (broken?.at === -1) throw errorOf(broken.code);
    const response =
      cursor === null ? this.#begin(call, capabilities, process.isOrphaned) : this.#reattach(cursor);
    abort.tell((reason) => {
      response.leftBecause = String(reason);
    });
    const { deltas, reason } = response.answer;
    if (capabilities.reattach) response.made = deltas.length;
    const cursorAt = (sequenceNumber: number) =>
      capabilities.reattach ? { cursor: cursorOf(response, sequenceNumber) } : {};
    if (cursor === null && (capabilities.reattach || world.chance(50))) {
      await next(() => `${response.id} is accepted`);
      yield { type: 'accepted', ...cursorAt(0) };
    }
    if (world.chance(10))
      yield { type: 'usage', usage: { ...NO_USAGE, inputTokens: INPUT_TOKENS, estimated: true } };
    const rest = cursor === null ? numbered(deltas, 0) : this.#restOf(response, cursor);
    for (const [index, { delta, sequenceNumber }] of rest.entries()) {
      // One read of the socket often brings several.
      if (index === 0 || world.chance(60)) await next(() => `${response.id} says more`);
      if (broken?.at === index) throw errorOf(broken.code);
      response.made = Math.max(response.made, sequenceNumber);
      yield { ...delta, ...cursorAt(sequenceNumber) };
    }
    await next(() => `${response.id} has ended`);
    if (broken !== null && broken.at >= rest.length) throw errorOf(broken.code);
    response.isRead = true;
    yield { type: 'finish', reason, usage: world.chance(60) ? usageOf(response) : null };
  }

  #begin(
    { idempotencyKey, resume }: ProviderCall,
    { reattach: canReattach }: ProviderCapabilities,
    isOrphaned: () => boolean,
  ): ModelResponse {
    const world = this.#world;
    if (this.responses.some(({ key }) => key === idempotencyKey)) {
      this.faults.push(`the call ${idempotencyKey} was paid twice`);
    }
    const isFirst = this.responses.length === 0;
    const variant = isFirst || world.chance(40) ? 0 : this.responses.length;
    const base = 'deliveredText' in resume ? resume.deliveredText : '';
    const answer =
      'deliveredText' in resume
        ? makeContinuation(world, this.kind, base, variant)
        : makeAnswer(world, this.kind, isFirst ? world.random.between(0, 5) : variant);
    const response = {
      id: `resp_${this.responses.length}`,
      key: idempotencyKey,
      strategy: resume.strategy,
      base,
      answer,
      made: 0,
      isGone: false,
      canReattach,
      isOrphaned,
      isRead: false,
      isStopping: false,
      leftBecause: null,
    };
    this.responses.push(response);
    world.tell(() => `${response.id} is ${JSON.stringify(answer.deltas)}`);
    return response;
  }

  #reattach({ responseId }: ProviderCursor): ModelResponse {
    const response = this.find(responseId);
    if (response === undefined || response.isGone || this.#world.fault(10)) {
      if (response !== undefined) response.isGone = true;
      throw errorOf('provider_response_lost');
    }
    return response;
  }

  /** By its place in the stream or, as a poll does, by how many characters are known. */
  #restOf(response: ModelResponse, cursor: ProviderCursor): Numbered[] {
    const { deltas } = response.answer;
    if (this.#world.chance(60)) return numbered(deltas, cursor.sequenceNumber);
    const known = new Map<string, number>([
      ['text', cursor.textChars],
      ['reasoning', cursor.reasoningChars ?? 0],
      ...(cursor.toolCalls ?? []).map(({ id, argumentsChars }) => [id, argumentsChars] as const),
    ]);
    return numbered(deltas, 0).flatMap(({ delta, sequenceNumber }) => {
      const key = delta.type === 'tool-call' ? delta.id : delta.type;
      const whole = delta.type === 'tool-call' ? delta.arguments : delta.text;
      const skipped = Math.min(whole.length, known.get(key) ?? 0);
      known.set(key, (known.get(key) ?? 0) - skipped);
      if (skipped === whole.length && sequenceNumber <= cursor.sequenceNumber) return [];
      const left = whole.slice(skipped);
      return [
        {
          delta: delta.type === 'tool-call' ? { ...delta, arguments: left } : { ...delta, text: left },
          sequenceNumber,
        },
      ];
    });
  }

  #plannedBreak({ resume }: ProviderCall): Break | null {
    const world = this.#world;
    if (resume.strategy === 'prefill' && world.fault(10)) return { at: -1, code: 'provider_prefill_refused' };
    if (world.fault(10)) {
      return {
        at: -1,
        code: world.pick(['provider_unavailable', 'provider_rate_limited', 'provider_connect_failed']),
      };
    }
    if (!world.fault(30)) return null;
    const code = world.pick([
      'provider_stream_cut',
      'provider_stream_cut',
      'provider_stalled',
      'provider_unavailable',
      'provider_malformed',
    ] as unknown as [ErrorCode, ...ErrorCode[]]);
    return { at: world.random.between(0, world.pick([0, 1, 4, 16])), code };
  }

  #stop(responseId: string): Usage | null {
    const response = this.find(responseId);
    if (response === undefined) return null;
    response.isGone = true;
    return this.#world.chance(60) ? usageOf(response) : null;
  }
}

interface Numbered {
  readonly delta: AnswerDelta;
  readonly sequenceNumber: number;
}

function numbered(deltas: readonly AnswerDelta[], after: number): Numbered[] {
  return deltas.slice(after).map((delta, index) => ({ delta, sequenceNumber: after + index + 1 }));
}

function usageOf({ answer }: ModelResponse): Usage {
  const thoughts = charsIn(answer.deltas.filter(({ type }) => type === 'reasoning'));
  const outputTokens = charsIn(answer.deltas) - thoughts;
  return { ...NO_USAGE, inputTokens: INPUT_TOKENS, outputTokens, reasoningTokens: thoughts };
}

/** Where the stream stands after so many deltas. */
function cursorOf({ id, answer }: ModelResponse, sequenceNumber: number): ProviderCursor {
  let textChars = 0;
  let reasoningChars = 0;
  const toolCalls = new Map<
    number,
    { outputIndex: number; id: string; name: string; argumentsChars: number }
  >();
  for (const delta of answer.deltas.slice(0, sequenceNumber)) {
    if (delta.type === 'text') textChars += delta.text.length;
    else if (delta.type === 'reasoning') reasoningChars += delta.text.length;
    else {
      const argumentsChars = (toolCalls.get(delta.index)?.argumentsChars ?? 0) + delta.arguments.length;
      toolCalls.set(delta.index, {
        outputIndex: delta.index,
        id: delta.id,
        name: delta.name,
        argumentsChars,
      });
    }
  }
  return { responseId: id, sequenceNumber, textChars, reasoningChars, toolCalls: [...toolCalls.values()] };
}

function errorOf(code: ErrorCode): UnbrokenError {
  const retryAfterMs = code === 'provider_rate_limited' ? 100 : undefined;
  return new UnbrokenError(code, 'a fault of the simulated provider', { retryAfterMs });
}

/** Ends what a stream waits for. Not by `Promise.race`, whose promises would be a good part of a seed's time. */
class Abort {
  readonly #signal: AbortSignal;
  #onAbort: (reason: unknown) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const abort = () => {
      this.#onAbort(signal.reason);
      this.#reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  }

  /** Calls back when the signal is aborted, or at once where it is. */
  tell(onAbort: (reason: unknown) => void): void {
    this.#onAbort = onAbort;
    if (this.#signal.aborted) onAbort(this.#signal.reason);
  }

  /** Resolves when it happens; rejects with the signal's reason. */
  orWhen(wait: (happen: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      wait(resolve);
      this.#reject = reject;
      if (this.#signal.aborted) reject(this.#signal.reason);
    });
  }
}
