/**
 * Finds which call a part of a tool call belongs to. Servers of this format differ: some send index 0, or none, with
 * every call; some send the name behind the first arguments, or in parts; some send arguments again that they have
 * sent, or whole.
 */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { functionTools } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isJson } from '../../../contracts/json.ts';
import { type AnswerState, malformed } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { ArrivedText } from './arrived-text.ts';

type Delta = ChatCompletionChunk['choices'][number]['delta'];
type ToolCallDelta = NonNullable<Delta['tool_calls']>[number];
type Place = number | string;

/** A call whose parts have begun to arrive. */
interface KnownCall {
  readonly place: Place;
  /** As the vendor names it; undefined until it does. */
  vendorId: string | undefined;
  /** As everybody else names it. */
  readonly id: string;
  isStarted: boolean;
  /** Its name so far. */
  name: string;
  /** Its arguments so far. */
  readonly written: ArrivedText;
}

export class ToolCallPlaces {
  readonly #answer: AnswerState;
  readonly #names: readonly string[];
  readonly #calls: KnownCall[] = [];
  /** The newest call of each index: parts without an id belong to it. */
  readonly #newest = new Map<number, KnownCall>();

  constructor(answer: AnswerState, { tools }: Pick<GenerationInput, 'tools'>) {
    this.#answer = answer;
    this.#names = functionTools(tools).map(({ name }) => name);
  }

  /** Whether the arguments of every call are whole. */
  get areWhole(): boolean {
    return this.#calls.every(({ written }) => written.isBlank || isJson(written.whole()));
  }

  /** @param order its place in its chunk, for vendors that send no index. */
  *take(
    { index, id, function: called, extra_content: extra }: ToolCallDelta & { extra_content?: unknown },
    order: number,
  ): Generator<ProviderEvent> {
    const byIndex = index ?? order;
    const name = called?.name || undefined;
    const delta = argumentsIn(called?.arguments);
    const call = this.#callOf(byIndex, { id: id || undefined, name, delta });
    this.#newest.set(byIndex, call);
    // What only the vendor can read: it belongs to the call, and goes back with it.
    if (typeof extra === 'object' && extra !== null) {
      const data = { wire: 'openai-chat', callId: call.id, value: { extra_content: extra } } as const;
      yield { type: 'reasoning-data', data };
    }
    const rest = newIn(delta, call.written);
    call.written.append(rest);
    if (call.isStarted) {
      if (rest !== '') yield this.#answer.appendArguments(call.place, rest);
      return;
    }
    call.name = nameWith(call.name, name ?? '');
    if (call.name !== '' && !this.#isPart(call.name)) yield* this.#start(call);
  }

  /** Nothing follows. @throws provider_malformed for arguments of a call without a name */
  *end(): Generator<ProviderEvent> {
    for (const call of this.#calls) {
      if (call.isStarted) continue;
      if (call.name !== '') yield* this.#start(call);
      else if (!call.written.isBlank) throw malformed('a tool call without a name');
    }
  }

  *#start(call: KnownCall): Generator<ProviderEvent> {
    call.isStarted = true;
    yield this.#answer.startToolCall(call.place, call.id, call.name);
    if (call.written.length > 0) yield this.#answer.appendArguments(call.place, call.written.whole());
  }

  /** Whether more of the name must follow: no tool has it, and that of some tool begins with it. */
  #isPart(name: string): boolean {
    return !this.#names.includes(name) && this.#names.some((known) => known.startsWith(name));
  }

  #callOf(byIndex: number, part: PartOfCall): KnownCall {
    const newest = this.#newest.get(byIndex);
    if (newest === undefined || beginsAnother(newest, part)) return this.#add(byIndex, part.id);
    if (part.id === undefined || newest.vendorId === part.id) return newest;
    if (newest.vendorId === undefined && !newest.isStarted) {
      newest.vendorId = part.id;
      return newest;
    }
    const known = this.#calls.findLast(({ vendorId }) => vendorId === part.id);
    if (known !== undefined) return known;
    // A part with a new id and without a name belongs to a call whose vendor makes up an id for each part.
    return part.name === undefined ? newest : this.#add(byIndex, part.id);
  }

  #add(byIndex: number, vendorId: string | undefined): KnownCall {
    const place = `${byIndex} ${this.#calls.length}`;
    const id = this.#answer.uniqueCallId(vendorId);
    const call = { place, vendorId, id, isStarted: false, name: '', written: new ArrivedText() };
    this.#calls.push(call);
    return call;
  }
}

/** Some servers send the name once more with every part, or all of it so far. */
function nameWith(before: string, part: string): string {
  return part.startsWith(before) ? part : before + (before.endsWith(part) ? '' : part);
}

interface PartOfCall {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly delta: string;
}

/** Whether a server that tells its calls apart by nothing begins the next one: the arguments before are whole. */
function beginsAnother({ written, vendorId }: KnownCall, { id, name, delta }: PartOfCall): boolean {
  if (name === undefined || (id !== undefined && id !== vendorId)) return false;
  return /^\s*\{/.test(delta) && hasWholeObject(written) && newIn(delta, written) !== '';
}

/** Some servers send an object in place of its text. */
function argumentsIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') throw malformed('arguments that are no object');
  return JSON.stringify(value);
}

/**
 * What a delta adds to the arguments so far. Some servers send an empty object before the arguments, send all of them
 * so far with every part, or send them once more at the end. No JSON object has its own beginning again behind it,
 * except that a key may begin with a brace.
 */
function newIn(delta: string, written: ArrivedText): string {
  if (written.length === 0) return delta.trim() === '{}' ? '' : delta;
  if (!written.beginning.startsWith('{') || (written.length === 2 && written.beginning === '{"'))
    return delta;
  if (delta.length >= written.length && delta.startsWith(written.whole())) return delta.slice(written.length);
  const isRepeat =
    isWholeObject(delta) && hasWholeObject(written) && asJson(written.whole()) === asJson(delta);
  return isRepeat ? '' : delta;
}

function hasWholeObject(written: ArrivedText): boolean {
  return written.lastCharacter === '}' && isWholeObject(written.whole());
}

function isWholeObject(text: string): boolean {
  return /^\s*\{/.test(text) && /\}\s*$/.test(text) && isJson(text);
}

/** Without the blanks between its values. */
function asJson(text: string): string {
  return JSON.stringify(JSON.parse(text));
}
