/**
 * What a message may hold, and the tools that a model may call. Plain text is a string; all else is a list of parts.
 * A part that the chosen model cannot take is refused before the provider is called, so it costs nothing.
 */
import { z } from 'zod';
import { limitedRecord } from './limited-record.ts';
import { LIMITS } from './limits.ts';

const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const textPartSchema = z.strictObject({ type: z.literal('text'), text: z.string().min(1) });
const imagePartSchema = z.strictObject({
  type: z.literal('image'),
  /** https URL, or a data URL such as data:image/png;base64,... */
  url: z.string().regex(/^(https:\/\/|data:image\/(png|jpeg|gif|webp);base64,)/),
});
/** A call that the model made in an earlier turn. */
const toolCallPartSchema = z.strictObject({
  type: z.literal('tool-call'),
  id: z.string().min(1).max(128),
  name,
  /** JSON, as the model wrote it. */
  arguments: z.string(),
});
const toolResultPartSchema = z.strictObject({
  type: z.literal('tool-result'),
  /** The id of the call that it answers. */
  id: z.string().min(1).max(128),
  content: z.string(),
  isError: z.boolean().optional(),
});

const partSchema = z.discriminatedUnion('type', [
  textPartSchema,
  imagePartSchema,
  toolCallPartSchema,
  toolResultPartSchema,
]);
export type Part = z.infer<typeof partSchema>;
export type ImagePart = z.infer<typeof imagePartSchema>;

/** `tool-call` parts stand in assistant messages, `image` and `tool-result` parts in user messages. */
export const messageSchema = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string().min(1), z.array(partSchema).min(1).max(LIMITS.partsPerMessage)]),
});
export type Message = z.infer<typeof messageSchema>;

/** A JSON Schema object; checked by the provider. */
export const jsonSchemaSchema = limitedRecord(z.string(), z.unknown(), LIMITS.schemaKeys);

export const toolSchema = z.strictObject({
  name,
  description: z.string().max(8_192).optional(),
  parameters: jsonSchemaSchema,
});
export type Tool = z.infer<typeof toolSchema>;

export const toolChoiceSchema = z.union([z.enum(['auto', 'none', 'required']), z.strictObject({ name })]);
export type ToolChoice = z.infer<typeof toolChoiceSchema>;

/** The answer is JSON that fits the schema. */
export const outputSchema = z.strictObject({ name: name.default('answer'), schema: jsonSchemaSchema });
export type OutputFormat = z.infer<typeof outputSchema>;

/** The parts of a message; a plain string is one text part. */
export function partsOf({ content }: Pick<Message, 'content'>): readonly Part[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a message, of its tool calls and of their results: what a tokenizer counts and the cache compares. */
export function textOfMessage(message: Pick<Message, 'content'>): string {
  return partsOf(message)
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'tool-call') return `${part.name} ${part.arguments}`;
      return part.type === 'tool-result' ? part.content : '';
    })
    .join('\n');
}
