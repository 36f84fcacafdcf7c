/** The parts of messages of chat completions, as our parts. A part that our format lacks is kept as it is. */
import { z } from 'zod';
import type { Part, ResultContent } from '../../../contracts/content.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { isDocument } from '../media-url.ts';
import { nativeRest } from '../native.ts';
import { isRepeatedCall, isThought, thoughtIn } from './kept-answers.ts';

const FORMAT = 'openai-chat';
const OTHER_PART = /^(?!(?:(?:input_|output_)?text|refusal|image_url|input_image|file|input_audio)$)/;

// Clients of both formats write the parts of Responses here, too.
const textPart = z.looseObject({ type: z.literal(['text', 'input_text', 'output_text']), text: z.string() });
/** `@openai/agents` copies `role` and `refusal` of a message of an answer into its text, and sends them back. */
const TEXT_FIELDS = { type: true, text: true, role: true, refusal: true } as const;
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
const imagePart = z.looseObject({
  type: z.literal(['image_url', 'input_image']),
  // Mistral's clients, and older ones of others, send the address alone.
  image_url: z.union([z.string(), z.looseObject({ url: z.string(), detail: z.string().nullish() })]),
});
const filePart = z.looseObject({
  type: z.literal('file'),
  file: z.looseObject({ file_data: z.string().nullish(), filename: z.string().nullish() }),
});
const audioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }),
});
/** A part that another server of this format has added. */
const otherPart = z.looseObject({ type: z.string().regex(OTHER_PART, { abort: true }) });
export const texts = z.union([z.string(), z.array(textPart).max(LIMITS.partsPerMessage)]);
const userPart = z.discriminatedUnion('type', [textPart, imagePart, filePart, audioPart]);
const assistantPart = z.discriminatedUnion('type', [textPart, refusalPart]);
type ContentPart = z.infer<typeof userPart | typeof assistantPart | typeof otherPart>;

export const userContent = z.union([
  z.string(),
  z.array(z.union([userPart, otherPart])).max(LIMITS.partsPerMessage),
]);
export const assistantContent = z.union([
  z.string(),
  z.array(z.union([assistantPart, otherPart])).max(LIMITS.partsPerMessage),
]);

export function contentOf(content: string | readonly ContentPart[]): string | Part[] {
  return typeof content === 'string' ? content : content.flatMap(toPart);
}

/** Text alone as a string. */
export function resultContent(content: readonly ContentPart[]): string | ResultContent[] {
  const parts = content.flatMap(toPart) as ResultContent[];
  const texts = parts.flatMap((part) =>
    part.type === 'text' && part.native === undefined ? [part.text] : [],
  );
  return texts.length === parts.length ? texts.join('\n') : parts;
}

function textParts(text: string): Part[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

/** A part of an answer; thoughts and calls are such parts where clients keep the answers of other formats. */
export function answerParts(
  content: string | readonly ContentPart[] | null | undefined,
  { hasCalls }: { readonly hasCalls: boolean },
): Part[] {
  if (typeof content === 'string') return textParts(content);
  return (content ?? []).flatMap((part) => toAnswerPart(part, hasCalls));
}

function toAnswerPart(part: ContentPart, hasCalls: boolean): Part[] {
  if (hasCalls && isRepeatedCall(part)) return [];
  if (!isThought(part)) return toPart(part);
  const text = thoughtIn(part);
  return text === '' ? [] : [{ type: 'reasoning', text }];
}

function toPart(part: ContentPart): Part[] {
  if (isPart(part, textPart)) {
    const native = nativeRest(FORMAT, part, TEXT_FIELDS);
    return textParts(part.text).map((own) => ({ ...own, ...native }));
  }
  if (isPart(part, refusalPart)) {
    return textParts(part.refusal).map((own) => ({ ...own, isRefusal: true as const }) as Part);
  }
  if (isPart(part, imagePart)) {
    const { image_url: image } = part;
    const { url, detail } = typeof image === 'string' ? { url: image, detail: undefined } : image;
    const known = typeof image === 'string' ? (true as const) : ({ url: true, detail: true } as const);
    const native = nativeRest(FORMAT, part, { type: true, image_url: known });
    if (isDocument(url)) return [{ type: 'file', url, ...native }];
    return [
      { type: 'image', url, ...(detail === null || detail === undefined ? {} : { detail }), ...native },
    ];
  }
  if (isPart(part, filePart) && part.file.file_data?.startsWith('data:') === true) {
    const { file_data: url, filename: name } = part.file;
    const native = nativeRest(FORMAT, part, { type: true, file: { file_data: true, filename: true } });
    return [{ type: 'file', url, ...(name === null || name === undefined ? {} : { name }), ...native }];
  }
  return [{ type: 'native', format: FORMAT, value: { ...part } }];
}

interface PartSchema extends z.ZodType<{ type: string }> {
  readonly shape: { readonly type: { readonly values: ReadonlySet<string> } };
}

/** Whether it is a part of this type. It is valid: its request was checked. */
function isPart<Schema extends PartSchema>(
  part: { readonly type: string },
  { shape }: Schema,
): part is z.infer<Schema> {
  return shape.type.values.has(part.type);
}
