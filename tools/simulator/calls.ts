/** The record of calls: the request of each, and how many tokens were generated for it. Tests read it as the bill. */
import { createHash } from 'node:crypto';
import { findContinuation, withoutDelivered } from './continuation.ts';
import { inputTokens, type SimulatedInput } from './conversation.ts';
import { readDirective } from './directive.ts';
import type { WireName } from './faults.ts';
import { SimulatedRun } from './generate.ts';
import type { Journal } from './journal.ts';
import { type CachedPrompt, PromptCache } from './prompt-cache.ts';
import {
  type AnswerToken,
  type Gap,
  joinTokens,
  type Obedience,
  type Script,
  scriptFor,
} from './true-text.ts';

export interface BatchLineName {
  readonly batchId: string;
  readonly customId: string;
}

interface CallRequest {
  readonly id: string;
  readonly wire: WireName;
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens: number | undefined;
  readonly isBackground: boolean;
  /** Whether the caller asked for the usage; most vendors report it always. */
  readonly wantsUsage: boolean;
  /** Whether reasoning is returned encrypted, beside its summary. */
  readonly wantsEncrypted: boolean;
  /** The key of the caller; '' for none. */
  readonly apiKey: string;
  /** As it came, for the prompt cache. */
  readonly body: unknown;
  /** The line of a batch that it is; null for a call by itself. */
  readonly ofBatch: BatchLineName | null;
  /** Whether the model generates nothing. */
  readonly isEmpty: boolean;
  /** What the model does where it is asked to continue its answer; null: what the directive says. */
  readonly obedience: Obedience | null;
  /** A silence in the middle of the answer; null: what the directive says. */
  readonly gap: Gap | null;
  /** Signs of life that hold nothing; null: what the directive says. */
  readonly pingMs: number | null;
  /** What the model says in place of its answer; null: its answer. */
  readonly says: string | null;
  /** Changes the text of this call; '' for the true one. */
  readonly salt: string;
  /** How many alternatives of each token the answer has the log probabilities of; null: of none, nor of the token. */
  readonly logprobs: number | null;
}

export interface SimulatedCall extends Omit<CallRequest, 'body' | 'pingMs'> {
  readonly prompt: CachedPrompt;
  /** The same for all calls that continue one request. */
  readonly key: string;
  readonly run: SimulatedRun;
  readonly toolCalls: Script['toolCalls'];
  readonly prefillChars: number;
  /** Whether the output cap is shorter than the text. */
  readonly isCut: boolean;
  readonly pingMs: number;
  readonly startedAt: number;
  usage(): SimulatedUsage;
}

/** What the vendor counted; each wire reports it in its own nesting. */
export interface SimulatedUsage {
  /** All input, including what was cached and written to the cache. */
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  /** The part of `written` that is kept for an hour. */
  readonly writtenForHour?: number;
  /** All output, including reasoning. */
  readonly output: number;
  readonly reasoning: number;
}

/** Requests of one API key. */
interface KeyCount {
  requests: number;
  refused: number;
}

const KEPT_CALLS = 20_000;
/** Requests whose whole body is kept. */
const KEPT_BODIES = 2_000;
const KEPT_BODY_CHARS = 64 * 1024;

/** A request as it came, which shows what reached the vendor. */
interface ReceivedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** JSON. */
  readonly body: string;
}

export class Calls {
  readonly #calls = new Map<string, SimulatedCall>();
  readonly #counts = new Map<string, KeyCount>();
  readonly #received: ReceivedRequest[] = [];
  readonly #journal: Journal;
  readonly #promptCache = new PromptCache();

  /** @param journal receives each call when it starts, and whenever more tokens were generated. */
  constructor(journal: Journal = () => undefined) {
    this.#journal = journal;
  }

  start({ body, ...request }: CallRequest): SimulatedCall {
    const prompt = this.#promptCache.serve({ ...request, body });
    const { messages, system } = request.input;
    const seed = readDirective(messages, system).number('seeded') === 1 ? seedIn(body) : '';
    const { base, deliveredText } = findContinuation(request.input, seed);
    const script = saying(request.says, scriptFor(base, seed || request.salt));
    const obedience = deliveredText === '' ? 'continues' : (request.obedience ?? script.obedience);
    const continued = ['starts over', 'paraphrases'].includes(obedience) ? '' : deliveredText;
    const rest = request.isEmpty ? [] : answerTo(obedience, { base, script, continued });
    const run = new SimulatedRun({
      tokens: rest.slice(0, request.maxTokens),
      // A batch has its own duration.
      delayMs: request.ofBatch === null ? script.delayMs : 0,
      firstMs: request.ofBatch === null ? script.firstMs : 0,
      gap: request.gap ?? (continued === '' ? script.gap : null),
      onMade: this.#billTo(request, billedInput(request.input, script, prompt)),
    });
    const call: SimulatedCall = {
      ...request,
      prompt,
      pingMs: request.pingMs ?? script.pingMs,
      key: createHash('sha256').update(JSON.stringify(base)).digest('hex').slice(0, 16),
      run,
      toolCalls: script.toolCalls,
      prefillChars: continued.length,
      isCut: run.tokens.length < rest.length,
      startedAt: Date.now(),
      usage: () => usageOf(request.input, script, prompt, run),
    };
    this.#calls.set(call.id, call);
    const oldest = this.#calls.size > KEPT_CALLS ? this.#calls.keys().next().value : undefined;
    if (oldest !== undefined) this.#calls.delete(oldest);
    return call;
  }

  /** Keeps the newest requests; a large body is not kept. */
  receive(request: ReceivedRequest): void {
    if (request.body.length > KEPT_BODY_CHARS) return;
    this.#received.push(request);
    if (this.#received.length > KEPT_BODIES) this.#received.shift();
  }

  /** The requests whose path or body contains this text, oldest first. */
  received(text: string): readonly ReceivedRequest[] {
    return this.#received.filter(({ path, body }) => path.includes(text) || body.includes(text));
  }

  /** What was answered to the conversations that contain this text, oldest first. */
  asked(text: string): readonly object[] {
    return [...this.#calls.values()]
      .map(({ id, wire, run, input }) => ({
        id,
        wire,
        state: run.state,
        prompt: JSON.stringify(input.messages),
        text: joinTokens(run.tokens.slice(0, run.made), ({ kind }) => kind === 'text'),
        arguments: joinTokens(run.tokens.slice(0, run.made), ({ kind }) => kind === 'tool'),
      }))
      .filter(({ prompt }) => prompt.includes(text));
  }

  /** Lets every answer continue that is held in its middle. */
  release(): void {
    for (const { run } of this.#calls.values()) run.release();
  }

  find(id: string): SimulatedCall | undefined {
    return this.#calls.get(id);
  }

  list(): readonly object[] {
    return [...this.#calls.values()].map(
      ({ id, wire, model, key, apiKey, ofBatch, run, input, prompt, prefillChars, startedAt }) => ({
        id,
        wire,
        batchId: ofBatch?.batchId ?? null,
        model,
        key,
        apiKey,
        state: run.state,
        cancelled: run.state === 'cancelled',
        startedAt,
        outputTokensGenerated: run.made,
        inputTokens: inputTokens(input) + prompt.tools,
        cachedTokens: prompt.cached,
        prefillTokens: Math.ceil(prefillChars / 4),
      }),
    );
  }

  clear(): void {
    this.#calls.clear();
    this.#received.length = 0;
    this.#counts.clear();
    this.#promptCache.clear();
  }

  /** Counts a request of this key, whatever its outcome. */
  count(apiKey: string, { isRefused }: { isRefused: boolean }): void {
    const before = this.#counts.get(apiKey) ?? { requests: 0, refused: 0 };
    this.#counts.set(apiKey, {
      requests: before.requests + 1,
      refused: before.refused + (isRefused ? 1 : 0),
    });
  }

  byKey(): object {
    const generatedFor = (apiKey: string) =>
      [...this.#calls.values()]
        .filter((call) => call.apiKey === apiKey)
        .reduce((sum, { run }) => sum + run.made, 0);
    return Object.fromEntries(
      [...this.#counts].map(([apiKey, count]) => [
        apiKey,
        { ...count, outputTokensGenerated: generatedFor(apiKey) },
      ]),
    );
  }

  #billTo(
    { id: callId, wire, apiKey, input, ofBatch }: Omit<CallRequest, 'body'>,
    inputTokens: number,
  ): (made: number) => void {
    // A line whose answer was lost with the process is answered again, and billed once.
    const id = ofBatch === null ? callId : `${ofBatch.batchId}/${ofBatch.customId}`;
    const bill = { id, wire, apiKey, prompt: JSON.stringify(input.messages) };
    const note = (made: number) => this.#journal({ ...bill, inputTokens, made });
    note(0);
    return note;
  }
}

/** Words that a model repeats before it continues. */
const REPEATED_CHARS = 40;

function seedIn(body: unknown): string {
  const { seed = '' } = (body ?? {}) as { readonly seed?: unknown };
  return JSON.stringify(seed);
}

interface Continuation {
  readonly base: SimulatedInput;
  readonly script: Script;
  readonly continued: string;
}

function answerTo(obedience: Obedience, { base, script, continued }: Continuation): readonly AnswerToken[] {
  if (obedience === 'paraphrases') return scriptFor(base, 'in other words').tokens;
  const rest = withoutDelivered(script.tokens, continued);
  if (obedience !== 'repeats its last words') return rest;
  return [{ kind: 'text', text: continued.slice(-REPEATED_CHARS) }, ...rest];
}

/** With what the directive reports as cached and written. */
function billedInput(
  input: SimulatedInput,
  { cached, written }: Pick<Script, 'cached' | 'written'>,
  { tools }: CachedPrompt,
): number {
  return inputTokens(input) + tools + cached + written;
}

function usageOf(
  input: SimulatedInput,
  script: Script,
  prompt: CachedPrompt,
  run: SimulatedRun,
): SimulatedUsage {
  const billed = billedInput(input, script, prompt);
  const cached = Math.min(script.cached + prompt.cached, billed);
  const written = Math.min(script.written + prompt.written, billed - cached);
  const generated = run.tokens.slice(0, run.made);
  return {
    input: billed,
    cached,
    written,
    writtenForHour: Math.min(prompt.writtenForHour, written),
    output: run.made,
    reasoning: generated.filter(({ kind }) => kind === 'reasoning').length,
  };
}

function saying(text: string | null, script: Script): Script {
  if (text === null) return script;
  const tokens = (text.match(/.{1,4}/gsu) ?? []).map((own): AnswerToken => ({ kind: 'text', text: own }));
  return { ...script, tokens };
}
