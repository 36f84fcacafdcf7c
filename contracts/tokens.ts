/** How many tokens an input may have at the most: what a budget reserves for it. */
import { partsOf, textOfMessage } from './content.ts';
import type { CountTexts } from './count-tokens.ts';
import type { GenerationInput } from './generation.ts';

/** Tokens that a chat format adds around each message; an upper figure of the common formats. */
const TOKENS_PER_MESSAGE = 8;
/** Vendors' tokenizers differ by some percent from ours. */
const MARGIN = 1.1;
/** An upper figure for one image in the common formats (OpenAI's high detail, Anthropic's 1568 x 1568). */
const TOKENS_PER_IMAGE = 1_600;
/** The instruction to continue, and the messages around it. */
const CONTINUE_TOKENS = 96;
/** An answer cut below this is worth less than the clear error. */
const MIN_OUTPUT_TOKENS = 16;

type CountedInput = Pick<GenerationInput, 'system' | 'messages' | 'tools' | 'output'>;

/** An input is asked for at the gate, at the budget and in each second of its stream, and counted once. */
const countedInputs = new WeakMap<CountTexts, WeakMap<CountedInput, Promise<number>>>();

export function boundInputTokens(input: CountedInput, countTexts: CountTexts): Promise<number> {
  const counted = countedInputs.get(countTexts) ?? new WeakMap<CountedInput, Promise<number>>();
  countedInputs.set(countTexts, counted);
  const bound = counted.get(input) ?? countInput(input, countTexts);
  counted.set(input, bound);
  return bound;
}

async function countInput(input: CountedInput, countTexts: CountTexts): Promise<number> {
  const texts = textsOf(input);
  return boundOf(input, texts, await countTexts(texts));
}

/** By the length of the texts alone: enough to choose a model by, and free. */
export function roughInputTokens(input: CountedInput): number {
  return boundOf(input, textsOf(input), []);
}

function boundOf({ messages }: CountedInput, texts: readonly string[], counted: readonly number[]): number {
  const images = messages.flatMap(partsOf).filter((part) => part.type === 'image').length;
  const tokens = texts.reduce((sum, text, index) => sum + Math.max(counted[index] ?? 0, text.length / 4), 0);
  return Math.ceil(tokens * MARGIN) + TOKENS_PER_MESSAGE * (messages.length + 1) + TOKENS_PER_IMAGE * images;
}

function textsOf({ system, messages, tools, output }: CountedInput): string[] {
  const schemas = [...(tools ?? []), ...(output === undefined ? [] : [output])];
  return [system ?? '', ...messages.map(textOfMessage), ...schemas.map((one) => JSON.stringify(one))];
}

/** A continuation sends the text so far along, as one more message. */
export function withContinuedText(input: GenerationInput): GenerationInput {
  if (input.continues === undefined) return input;
  return { ...input, messages: [...input.messages, { role: 'assistant', content: input.continues.text }] };
}

/** The tokenizers of some vendors count up to a third more than ours. What is reserved too much is given back. */
const WORST_MARGIN = 1.25;

/** What is reserved for an input: no vendor whose tokenizer we know counts more. */
export async function worstInputTokens(input: CountedInput, countTexts: CountTexts): Promise<number> {
  return Math.ceil((await boundInputTokens(input, countTexts)) * WORST_MARGIN);
}

/** What is reserved for a call that continues this text: it is part of the input, with an instruction to go on. */
export async function worstContinuationTokens(
  deliveredText: string,
  countTexts: CountTexts,
): Promise<number> {
  const [counted = 0] = await countTexts([deliveredText]);
  const tokens = Math.max(counted, deliveredText.length / 4);
  return Math.ceil(tokens * MARGIN * WORST_MARGIN) + CONTINUE_TOKENS;
}

/** What is reserved for the first call: its input, and where it continues an answer, that text too. */
export async function worstSentTokens(input: GenerationInput, countTexts: CountTexts): Promise<number> {
  const { continues } = input;
  const continued = continues === undefined ? 0 : await worstContinuationTokens(continues.text, countTexts);
  return (await worstInputTokens(input, countTexts)) + continued;
}

export function leastOutputTokens(maxOutputTokens: number): number {
  return Math.min(MIN_OUTPUT_TOKENS, maxOutputTokens);
}
