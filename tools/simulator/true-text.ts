/** The text of a simulated answer. It depends only on the request, so a test knows what a reader must get. */
import { createHash } from 'node:crypto';
import type { Message, OutputFormat, Part, Tool, ToolChoice } from '../../contracts/content.ts';
import { partsOf } from '../../contracts/content.ts';
import { CONTINUE_INSTRUCTION } from '../../engine/providers/continue-instruction.ts';
import { sampleOf } from './sample-json.ts';

const WORDS =
  'the river carries light over stone and every morning a small boat leaves harbour with letters tea maps naïve ' +
  'café über 東京 данные 🚀 data flows through many hands before it rests while engineers measure what they build ' +
  'and write down why because memory is short but logs are long so nothing is lost';
const VOCABULARY = WORDS.split(' ');
const MOST_TOKENS = 200_000;
const THOUGHTS = 12;

export interface SimulatedInput {
  readonly system?: string | undefined;
  readonly messages: readonly Message[];
  readonly tools?: readonly Pick<Tool, 'name' | 'parameters'>[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly output?: Pick<OutputFormat, 'schema'> | undefined;
  /** Whether the model was asked to think aloud. */
  readonly thinks?: boolean | undefined;
}

/** One token of an answer. `call` is the place of the tool call whose arguments it is of. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'tool'; readonly text: string; readonly call: number };

export interface Script {
  readonly pieces: readonly Piece[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string }[];
  readonly delayMs: number;
  readonly firstMs: number;
  /** Input tokens that are said to be read from, and written to, the vendor's cache. */
  readonly cached: number;
  readonly written: number;
}

/**
 * Length, pace and kind come from a directive in the prompt, such as `[[sim tokens=400 delay_ms=10 first_ms=50]]`,
 * `[[sim tool=get_weather calls=2]]`, `[[sim reasoning=20]]` or `[[sim cached=100 cache_write=10]]`.
 */
export function scriptFor(input: SimulatedInput, salt = ''): Script {
  const prompt = promptOf(input);
  const setting = (name: string, otherwise: number) =>
    Number(new RegExp(`\\[\\[sim [^\\]]*\\b${name}=(\\d+(?:\\.\\d+)?)`).exec(prompt)?.[1] ?? otherwise);
  const seed = createHash('sha256').update(prompt).update(salt).digest();
  // Of another answer to the same request the values differ too.
  const word = salt === '' ? undefined : seed.toString('hex').slice(0, 12);
  const thoughts = setting('reasoning', input.thinks === true ? THOUGHTS : 0);
  const called = calledTool(input, prompt);
  const toolCalls = Array.from({ length: called === null ? 0 : setting('calls', 1) }, (_, index) => ({
    id: `call_${seed.toString('hex').slice(0, 16)}${index}`,
    name: called?.name ?? '',
  }));
  const said = called === null ? Math.min(MOST_TOKENS, setting('tokens', 120)) : setting('say', 0);
  return {
    pieces: [
      ...proseOf(seed.readUInt32LE(4), thoughts).map((text) => ({ kind: 'reasoning' as const, text })),
      ...(input.output === undefined || called !== null
        ? proseOf(seed.readUInt32LE(0), said)
        : inPieces(JSON.stringify(sampleOf(input.output.schema, word)))
      ).map((text) => ({ kind: 'text' as const, text })),
      ...toolCalls.flatMap((_, call) =>
        inPieces(JSON.stringify(sampleOf(called?.parameters, word) ?? {})).map((text) => ({
          kind: 'tool' as const,
          text,
          call,
        })),
      ),
    ],
    toolCalls,
    delayMs: setting('delay_ms', 5),
    firstMs: setting('first_ms', 0),
    cached: setting('cached', 0),
    written: setting('cache_write', 0),
  };
}

export function trueText(input: SimulatedInput): string {
  return scriptFor(input)
    .pieces.filter(({ kind }) => kind === 'text')
    .map(({ text }) => text)
    .join('');
}

/** The whole answer, as a reader must hold it at the end. */
export function truthOf(input: SimulatedInput) {
  const { pieces, toolCalls } = scriptFor(input);
  const joined = (isWanted: (piece: Piece) => boolean) =>
    pieces
      .filter(isWanted)
      .map(({ text }) => text)
      .join('');
  return {
    text: joined(({ kind }) => kind === 'text'),
    reasoning: joined(({ kind }) => kind === 'reasoning'),
    toolCalls: toolCalls.map(({ name }, index) => ({
      name,
      arguments: joined((piece) => piece.kind === 'tool' && piece.call === index),
    })),
    tokens: pieces.length,
  };
}

/**
 * What is left to say. The model continues an assistant turn only where the conversation ends with it (a prefill), or
 * where the user asks for the continuation; any other assistant turn is an earlier answer, even where it equals the text
 * that this model would write. The turn counts only if the true text begins with it. Turns at the end that one request
 * holds side by side, such as a prefill of the caller and the text delivered since, are one text.
 */
export function continuation(input: SimulatedInput): {
  readonly base: SimulatedInput;
  readonly spoken: string;
} {
  const turns = asksToContinue(input.messages.at(-1)) ? input.messages.slice(0, -1) : input.messages;
  const earlier = turns.findLastIndex(({ role }) => role !== 'assistant') + 1;
  for (let from = Math.max(1, earlier); from < turns.length; from += 1) {
    const base = { ...input, messages: turns.slice(0, from) };
    const partial = turns.slice(from).map(({ content }) => content);
    const isText = partial.every((content): content is string => typeof content === 'string');
    const spoken = partial.join('');
    if (isText && trueText(base).startsWith(spoken)) return { base, spoken: isJson(base) ? '' : spoken };
  }
  return { base: input, spoken: '' };
}

/** Constrained decoding begins at the grammar's start: what is asked for in JSON is a whole value, whatever came before. */
function isJson(input: SimulatedInput): boolean {
  return input.output !== undefined && calledTool(input, promptOf(input)) === null;
}

function asksToContinue(last: Message | undefined): boolean {
  return last?.role === 'user' && partsOf(last).map(wordsOf).join('') === CONTINUE_INSTRUCTION;
}

/** Drops what was spoken from the beginning of the text, and the thoughts before it; a token spoken in part keeps its rest. */
export function withoutSpoken(pieces: readonly Piece[], spoken: string): readonly Piece[] {
  if (spoken === '') return pieces;
  let left = spoken.length;
  return pieces.flatMap((piece): Piece[] => {
    if (piece.kind !== 'text') return piece.kind === 'tool' ? [piece] : [];
    const text = piece.text.slice(Math.min(left, piece.text.length));
    left -= piece.text.length - text.length;
    return text === '' ? [] : [{ ...piece, text }];
  });
}

export function inputTokens(input: SimulatedInput): number {
  const chars =
    (input.system ?? '').length + said(input.messages).reduce((sum, [, text]) => sum + text.length, 0);
  return Math.ceil(chars / 4) + 4 * input.messages.length;
}

/** The tool that a directive names, or that the caller forces; none once its result is there. */
function calledTool(input: SimulatedInput, prompt: string): Pick<Tool, 'name' | 'parameters'> | null {
  const last = input.messages.at(-1);
  if (input.tools === undefined || input.toolChoice === 'none') return null;
  if (last === undefined || partsOf(last).some(({ type }) => type === 'tool-result')) return null;
  const forced = typeof input.toolChoice === 'object' ? input.toolChoice.name : undefined;
  const wanted = forced ?? /\[\[sim [^\]]*\btool=([\w-]+)/.exec(prompt)?.[1];
  if (wanted === undefined) return input.toolChoice === 'required' ? (input.tools[0] ?? null) : null;
  return input.tools.find(({ name }) => name === wanted) ?? null;
}

/** Everything that was said, alike for every wire: they differ in how they cut messages and order their parts. */
function promptOf({ system, messages }: SimulatedInput): string {
  return JSON.stringify([system ?? '', said(messages)]);
}

function said(messages: readonly Message[]): (readonly [string, string])[] {
  const turns: [string, string[]][] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    const results = partsOf(message).filter(({ type }) => type === 'tool-result');
    const others = partsOf(message).filter(({ type }) => type !== 'tool-result');
    const texts = [...results, ...others].map(wordsOf);
    if (last?.[0] === message.role) last[1].push(...texts);
    else turns.push([message.role, texts]);
  }
  return turns.map(([role, texts]) => [role, texts.join('\n')]);
}

function wordsOf(part: Part): string {
  if (part.type === 'text') return part.text;
  if (part.type === 'tool-result') return part.content;
  if (part.type === 'tool-call') return `${part.name} ${canonical(part.arguments)}`;
  return `[image ${createHash('sha256').update(part.url).digest('hex').slice(0, 8)}]`;
}

/** Some wires carry arguments as an object, and lose how they were written. */
function canonical(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json;
  }
}

function proseOf(seed: number, count: number): string[] {
  let state = seed;
  return Array.from({ length: count }, (_, index) => {
    // Numerical Recipes' linear congruential generator: small, and the same everywhere.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = VOCABULARY[(state >>> 8) % VOCABULARY.length] ?? 'word';
    const end = index % 29 === 28 ? '.\n\n' : index % 11 === 10 ? ',' : '';
    return `${index === 0 || index % 29 === 0 ? '' : ' '}${word}${end}`;
  });
}

function inPieces(text: string): string[] {
  return text.match(/.{1,4}/gsu) ?? [];
}
