/** The text of a simulated answer. It depends only on the request, so a test knows what a reader must get. */
import { createHash } from 'node:crypto';

const WORDS =
  'the river carries light over stone and every morning a small boat leaves harbour with letters tea maps naïve ' +
  'café über 東京 данные 🚀 data flows through many hands before it rests while engineers measure what they build ' +
  'and write down why because memory is short but logs are long so nothing is lost';
const VOCABULARY = WORDS.split(' ');

export interface SimulatedInput {
  readonly system?: string | undefined;
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: string }[];
}

export interface Script {
  readonly tokens: readonly string[];
  readonly delayMs: number;
  readonly firstMs: number;
}

/** Length and pace come from a directive in the prompt: `[[sim tokens=400 delay_ms=10 first_ms=50]]`. */
export function scriptFor(input: SimulatedInput, salt = ''): Script {
  const prompt = JSON.stringify([
    input.system ?? '',
    input.messages.map(({ role, content }) => [role, content]),
  ]);
  const setting = (name: string, otherwise: number) =>
    Number(new RegExp(`\\[\\[sim [^\\]]*\\b${name}=(\\d+)`).exec(prompt)?.[1] ?? otherwise);
  const count = Math.min(200_000, setting('tokens', 120));
  let state = createHash('sha256').update(prompt).update(salt).digest().readUInt32LE(0);
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) {
    // Numerical Recipes' linear congruential generator: small, and the same everywhere.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = VOCABULARY[(state >>> 8) % VOCABULARY.length] ?? 'word';
    const end = index % 29 === 28 ? '.\n\n' : index % 11 === 10 ? ',' : '';
    tokens.push(`${index === 0 || index % 29 === 0 ? '' : ' '}${word}${end}`);
  }
  return { tokens, delayMs: setting('delay_ms', 5), firstMs: setting('first_ms', 0) };
}

export function trueText(input: SimulatedInput): string {
  return scriptFor(input).tokens.join('');
}

/**
 * What is left to say. A last assistant turn is a prefill; an assistant turn before a last user turn is an answer that
 * is to be continued. Either counts only if it is the beginning of the true text.
 */
export function continuation(input: SimulatedInput): {
  readonly base: SimulatedInput;
  readonly spoken: string;
} {
  const last = input.messages.at(-1);
  const cut = last?.role === 'assistant' ? 1 : 2;
  const partial = input.messages.at(-cut);
  const base = { system: input.system, messages: input.messages.slice(0, -cut) };
  const isContinued =
    partial?.role === 'assistant' && base.messages.length > 0 && trueText(base).startsWith(partial.content);
  return isContinued ? { base, spoken: partial.content } : { base: input, spoken: '' };
}

/** Drops what was spoken from the beginning of the tokens; a token that was spoken in part keeps its rest. */
export function withoutSpoken(tokens: readonly string[], spoken: string): string[] {
  let left = spoken.length;
  const rest: string[] = [];
  for (const token of tokens) {
    if (left >= token.length) left -= token.length;
    else {
      rest.push(token.slice(left));
      left = 0;
    }
  }
  return rest;
}

export function inputTokens({ system, messages }: SimulatedInput): number {
  const chars = (system ?? '').length + messages.reduce((sum, message) => sum + message.content.length, 0);
  return Math.ceil(chars / 4) + 4 * messages.length;
}
