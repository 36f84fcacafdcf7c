/** Upper bounds of the tokens of an input: what a budget reserves for it. */
import { audioOf } from './audio.ts';
import {
  type FilePart,
  type Message,
  mediaOfResult,
  type Part,
  partsOf,
  textOfMessage,
  withResultMedia,
} from './content.ts';
import type { CountTexts } from './count-tokens.ts';
import type { GenerationInput } from './generation.ts';

/** Tokens that a chat format adds around each message; an upper figure of the common formats. */
const TOKENS_PER_MESSAGE = 8;
/** Vendors' tokenizers differ from ours by a few percent. */
const MARGIN = 1.1;
/** An upper figure for one image in the common formats (OpenAI's high detail, Anthropic's 1568 x 1568). */
const TOKENS_PER_IMAGE = 1_600;
/**
 * OpenAI's small models count more: up to eight tiles of 5,667 tokens and 2,833 beside them, so that an image costs as
 * much as with gpt-4o, or up to 1,536 patches of 2.46 or 1.72. Source: OpenAI, "Images and vision".
 */
const DEAR_IMAGES: readonly (readonly [RegExp, number])[] = [
  [/gpt-4o-mini/, 48_169],
  [/gpt-(?:4\.1|5)-nano/, 3_779],
  [/(?:gpt-(?:4\.1|5)|o4)-mini/, 2_642],
];
/** The same of an image that is sent as `detail: low`. */
const DEAR_GLANCE = 2_833;
const MOST_TOKENS_PER_IMAGE = 50_000;
/** An hour of video. */
const MOST_TOKENS_PER_REMOTE_FILE = 1_000_000;
/** The pages that the vendors read of one file, and a file that only the vendor sees. */
const MOST_TOKENS_PER_FILE = 180_000;
const TOKENS_PER_REMOTE_FILE = 32_000;
/**
 * Gemini counts 32 tokens in a second of audio, other vendors fewer. Sound that is not compressed has at least 8,000
 * bytes in a second, and speech in other formats 4,000.
 */
const BYTES_PER_AUDIO_TOKEN = { raw: 250, compressed: 125 };
const RAW_AUDIO = /^audio\/(?:wav|wave|x-wav|l16|pcm)/i;
/** The instruction to continue, and the overhead of its messages. */
const CONTINUE_TOKENS = 96;
/** No tokenizer has more tokens than bytes, and a UTF-16 unit has at most three bytes in UTF-8. */
const MOST_BYTES_PER_CHAR = 3;
/** A shorter answer is worth less than a clear error. */
const MIN_OUTPUT_TOKENS = 16;

type CountedInput = Pick<GenerationInput, 'system' | 'messages' | 'tools' | 'output' | 'native'>;

/** The gate, the budget and each second of the stream need the count of the same input; it is counted once. */
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

/** An estimate by the length of the texts alone: accurate enough to choose a model, and free. */
export function roughInputTokens(input: CountedInput): number {
  return boundOf(input, textsOf(input), []);
}

/** At least as many as any tokenizer counts, by the length of the texts alone: free. */
export function mostInputTokens(input: CountedInput): number {
  const texts = textsOf(input);
  return boundOf(
    input,
    texts,
    texts.map((text) => MOST_BYTES_PER_CHAR * text.length),
  );
}

/** What our tokenizer counts, without the margin of the bound. */
export async function countedInputTokens(input: CountedInput, countTexts: CountTexts): Promise<number> {
  return Math.floor((await boundInputTokens(input, countTexts)) / MARGIN);
}

/** What each message adds to the bound of an input. */
export async function boundMessageTokens(
  messages: readonly Message[],
  countTexts: CountTexts,
): Promise<readonly number[]> {
  const texts = messages.map((message) => textsOf({ messages: [message] }));
  const counts = await countTexts(texts.flat());
  let counted = 0;
  return messages.map((message, index) => {
    const own = texts[index] ?? [];
    const from = counted;
    counted += own.length;
    return boundOf({ messages: [message] }, own, counts.slice(from, counted)) - TOKENS_PER_MESSAGE;
  });
}

/** What our tokenizer counts of the texts, without a margin: most vendors count more. */
export async function countedTextTokens(
  { system, messages }: Pick<CountedInput, 'system' | 'messages'>,
  countTexts: CountTexts,
): Promise<number> {
  const counts = await countTexts([system ?? '', ...messages.map(writtenIn)]);
  return counts.reduce((sum, tokens) => sum + tokens, 0);
}

function boundOf({ messages }: CountedInput, texts: readonly string[], counted: readonly number[]): number {
  const tokens = texts.reduce((sum, text, index) => sum + Math.max(counted[index] ?? 0, text.length / 4), 0);
  return Math.ceil(tokens * MARGIN) + TOKENS_PER_MESSAGE * (messages.length + 1) + mediaTokens(messages);
}

/** An upper figure for the images, files and sounds of a conversation, also of those in the results of tools. */
export function mediaTokens(messages: readonly Message[]): number {
  const media = mediaOf(messages);
  const images = imagesOf(messages).length;
  const files = media.reduce((sum, part) => sum + (part.type === 'file' ? fileTokens(part) : 0), 0);
  const audio = media.reduce((sum, part) => sum + audioTokens(part), 0);
  return TOKENS_PER_IMAGE * images + files + audio;
}

/** The most that a vendor counts of images, and of files that only it sees. */
export function mostMediaTokens(messages: readonly Message[]): number {
  const remote = mediaOf(messages).filter((part) => part.type === 'file' && isRemote(part)).length;
  return imagesOf(messages).length * MOST_TOKENS_PER_IMAGE + remote * MOST_TOKENS_PER_REMOTE_FILE;
}

/** What the images may have more than is reserved for an input, with the one of the models that counts most. */
export function moreImageTokens(messages: readonly Message[], models: readonly string[]): number {
  const mostOf = (model: string) => DEAR_IMAGES.find(([pattern]) => pattern.test(model))?.[1] ?? 0;
  const most = Math.max(0, ...models.map(mostOf));
  return imagesOf(messages).reduce((sum, { detail }) => {
    const tokens = detail === 'low' ? Math.min(most, DEAR_GLANCE) : most;
    return sum + Math.max(0, tokens - TOKENS_PER_IMAGE * WORST_MARGIN);
  }, 0);
}

function mediaOf(messages: readonly Message[]): Part[] {
  return messages.flatMap(partsOf).flatMap(withResultMedia);
}

function imagesOf(messages: readonly Message[]) {
  return mediaOf(messages).filter((part) => part.type === 'image');
}

/** 0 for a part that is not spoken. */
function audioTokens(part: Part): number {
  const audio = audioOf(part);
  if (audio === null) return 0;
  const perToken = BYTES_PER_AUDIO_TOKEN[RAW_AUDIO.test(audio.mediaType) ? 'raw' : 'compressed'];
  return Math.min(MOST_TOKENS_PER_FILE, Math.ceil((audio.data.length * 3) / 4 / perToken));
}

/** The text of a message. What is spoken is no text: its encoding has a hundred times more characters than tokens. */
function writtenIn({ content }: Pick<Message, 'content'>): string {
  if (typeof content === 'string') return content;
  return textOfMessage({ content: content.filter((part) => audioOf(part) === null) });
}

/** Dense pages have about one token in three bytes of a PDF; scanned ones far fewer. */
function fileTokens(file: FilePart): number {
  if (isRemote(file)) return TOKENS_PER_REMOTE_FILE;
  return Math.min(MOST_TOKENS_PER_FILE, Math.ceil((file.url.length * 3) / 4 / 3));
}

function isRemote({ url }: FilePart): boolean {
  return !url.startsWith('data:');
}

function textsOf({ system, messages, tools, output, native }: CountedInput): string[] {
  const values = [
    ...(tools ?? []),
    ...(output === undefined ? [] : [output]),
    ...(native === undefined ? [] : [native.fields]),
    ...messages.flatMap(fieldsOf),
  ];
  return [system ?? '', ...messages.map(writtenIn), ...values.map((value) => JSON.stringify(value))];
}

/** What a message holds beside its texts: fields of one format, and parts of one in the results of tools. */
function fieldsOf(message: Message): readonly unknown[] {
  const parts = partsOf(message);
  const inResults = parts.flatMap((part) => (part.type === 'tool-result' ? mediaOfResult(part) : []));
  const values = inResults.flatMap((part) => (part.type === 'native' ? [part.value] : []));
  const natives = [message, ...parts, ...inResults].flatMap((part) =>
    'native' in part && part.native !== undefined ? [part.native.fields] : [],
  );
  return [...natives, ...values];
}

/** The input of a continuation, with the text so far as one more message. */
export function withContinuedText(input: GenerationInput): GenerationInput {
  if (input.continues === undefined) return input;
  return { ...input, messages: [...input.messages, { role: 'assistant', content: input.continues.text }] };
}

/** Some vendors' tokenizers count up to a third more than ours. What is reserved too much is released later. */
const WORST_MARGIN = 1.25;

/** The reservation for an input: no vendor whose tokenizer we know counts more. */
export async function worstInputTokens(input: CountedInput, countTexts: CountTexts): Promise<number> {
  return Math.ceil((await boundInputTokens(input, countTexts)) * WORST_MARGIN);
}

/** The reservation for continuing this text: it is sent as input, with an instruction to continue. */
export async function worstContinuationTokens(
  deliveredText: string,
  countTexts: CountTexts,
): Promise<number> {
  const [counted = 0] = await countTexts([deliveredText]);
  const tokens = Math.max(counted, deliveredText.length / 4);
  return Math.ceil(tokens * MARGIN * WORST_MARGIN) + CONTINUE_TOKENS;
}

/** The reservation for the first call: its input and, for a continuation, the text so far. */
export async function worstSentTokens(input: GenerationInput, countTexts: CountTexts): Promise<number> {
  const { continues } = input;
  const continued = continues === undefined ? 0 : await worstContinuationTokens(continues.text, countTexts);
  return (await worstInputTokens(input, countTexts)) + continued;
}

export function leastOutputTokens(maxOutputTokens: number): number {
  return Math.min(MIN_OUTPUT_TOKENS, maxOutputTokens);
}
