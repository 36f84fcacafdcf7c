/** The answer of the simulated model. It depends only on the request, so a test knows what a reader must receive. */
import { createHash } from 'node:crypto';
import { chooseTool } from './choose-tool.ts';
import { promptOf, type SimulatedInput } from './conversation.ts';
import { type Directive, readDirective } from './directive.ts';
import { type Hints, sampleJson } from './json/sample-json.ts';
import { Chance } from './text/chance.ts';
import { composeAnswer, composeThoughts } from './text/compose-answer.ts';
import { type Question, readQuestion } from './text/question.ts';
import { writeInScript } from './text/scripts.ts';
import { splitWords } from './text/sentence-source.ts';

const MOST_TOKENS = 200_000;
/** Words of reasoning where the request asks for it and no directive says how many. */
const THOUGHTS = 45;
const JSON_TOKEN = /.{1,4}/gsu;

/** One token of an answer. `call` is the place of the tool call that the arguments belong to. */
export type AnswerToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'tool'; readonly text: string; readonly call: number };

/** After this many tokens, nothing for this long. */
export interface Gap {
  readonly afterTokens: number;
  /** null: until the run is released. */
  readonly ms: number | null;
}

export type Obedience = 'continues' | 'starts over' | 'repeats its last words' | 'paraphrases';

const OBEDIENCE: Readonly<Record<string, Obedience>> = {
  restart: 'starts over',
  repeat: 'repeats its last words',
  paraphrase: 'paraphrases',
};

export interface Script {
  readonly tokens: readonly AnswerToken[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string }[];
  readonly delayMs: number;
  readonly firstMs: number;
  /** A silence in the middle of the answer. */
  readonly gap: Gap | null;
  /** Signs of life that hold nothing, at this interval; 0 for none. */
  readonly pingMs: number;
  /** What the model does where it is asked to continue its answer. */
  readonly obedience: Obedience;
  /** Input tokens that the usage reports as read from, and written to, the vendor's cache. */
  readonly cached: number;
  readonly written: number;
}

/** @param salt makes another answer to the same request; '' for the true one. */
export function scriptFor(input: SimulatedInput, salt = ''): Script {
  const prompt = promptOf(input);
  const directive = readDirective(input.messages, input.system);
  const seed = createHash('sha256').update(prompt).update(salt).digest();
  const hex = seed.toString('hex');
  const question = readQuestion(input);
  const tool = chooseTool(input, directive);
  const hints: Hints = { question, draft: salt === '' ? '' : hex.slice(0, 6) };
  const toolCalls = Array.from(
    { length: tool === null ? 0 : (directive.number('calls') ?? 1) },
    (_, index) => ({
      id: `call_${hex.slice(0, 16)}${index}`,
      name: tool?.name ?? '',
    }),
  );
  const thoughts = directive.number('reasoning') ?? (input.thinks === true ? THOUGHTS : 0);
  const isProse = input.output === undefined || tool !== null;
  const text = isProse
    ? proseTokens({
        question,
        directive,
        hex,
        seed: seed.readUInt32LE(0),
        draft: hints.draft,
        isBesideTool: tool !== null,
      })
    : jsonTokens(sampleJson(input.output?.schema, hints));
  return {
    tokens: [
      ...splitWords(composeThoughts(question, seed.readUInt32LE(4), thoughts)).map(
        (word): AnswerToken => ({ kind: 'reasoning', text: word }),
      ),
      ...text.map((token): AnswerToken => ({ kind: 'text', text: token })),
      ...toolCalls.flatMap((_, call) =>
        jsonTokens(directive.json('args') ?? sampleJson(tool?.parameters, hints) ?? {}).map(
          (token): AnswerToken => ({ kind: 'tool', text: token, call }),
        ),
      ),
    ],
    toolCalls,
    delayMs: directive.number('delay_ms') ?? 5,
    firstMs: directive.number('first_ms') ?? 0,
    gap: gapOf(directive),
    pingMs: directive.number('ping_ms') ?? 0,
    obedience: OBEDIENCE[directive.word('continue') ?? ''] ?? 'continues',
    cached: directive.number('cached') ?? 0,
    written: directive.number('cache_write') ?? 0,
  };
}

function gapOf(directive: Directive): Gap | null {
  const afterTokens = directive.number('gap_at');
  const ms = directive.number('gap_ms') ?? null;
  return afterTokens === undefined && ms === null ? null : { afterTokens: afterTokens ?? 1, ms };
}

export function trueText(input: SimulatedInput, salt = ''): string {
  return joinTokens(scriptFor(input, salt).tokens, ({ kind }) => kind === 'text');
}

/** The whole answer, as a reader must hold it at the end. */
export function truthOf(input: SimulatedInput) {
  const { tokens, toolCalls } = scriptFor(input);
  return {
    text: joinTokens(tokens, ({ kind }) => kind === 'text'),
    reasoning: joinTokens(tokens, ({ kind }) => kind === 'reasoning'),
    toolCalls: toolCalls.map(({ name }, index) => ({
      name,
      arguments: joinTokens(tokens, (token) => token.kind === 'tool' && token.call === index),
    })),
    tokens: tokens.length,
  };
}

export function joinTokens(
  tokens: readonly AnswerToken[],
  isWanted: (token: AnswerToken) => boolean,
): string {
  return tokens
    .filter(isWanted)
    .map(({ text }) => text)
    .join('');
}

interface Prose {
  readonly question: Question;
  readonly directive: Directive;
  readonly hex: string;
  readonly seed: number;
  readonly draft: string;
  readonly isBesideTool: boolean;
}

function proseTokens({ question, directive, hex, seed, draft, isBesideTool }: Prose): string[] {
  const wanted = isBesideTool ? (directive.number('say') ?? 0) : directive.number('tokens');
  const words = wanted === undefined ? undefined : Math.min(MOST_TOKENS, Math.floor(wanted));
  const script = directive.word('script');
  if (script !== undefined) return writeInScript(new Chance(seed), script, hex.slice(0, 12), words ?? 120);
  return splitWords(composeAnswer({ question, seed, words, draft }));
}

function jsonTokens(value: unknown): string[] {
  return JSON.stringify(value).match(JSON_TOKEN) ?? [];
}
