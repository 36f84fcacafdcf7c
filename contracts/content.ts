/**
 * What a message may hold, and the tools that a model may call. Plain text is a string; all else is a list of parts.
 * A part that the chosen model cannot take is refused before the provider is called, so it costs nothing.
 */
import { z } from 'zod';
import { isJson } from './json.ts';
import { limitedRecord } from './limited-record.ts';
import { LIMITS } from './limits.ts';
import { plainMediaUrl } from './media-urls.ts';

const name = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'expected up to 256 printable characters, no spaces');
/** Of any length: vendors put signatures into the ids of tool calls. */
const callId = z.string().min(1);

/** The formats whose requests may have fields that no other format has: OpenAI's two, and Anthropic's. */
const requestFormats = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const;
export const requestFormatSchema = z.enum(requestFormats);
export type RequestFormat = z.infer<typeof requestFormatSchema>;

const nativeValue = limitedRecord(z.string(), z.unknown(), LIMITS.nativeFields);

/**
 * Fields that only one format has, such as `cache_control`, by their names there. They reach the providers of that
 * format as they are; docs/wires-fields.md says what becomes of each at the others.
 */
const nativeFieldsSchema = z.strictObject({ format: requestFormatSchema, fields: nativeValue });
export type NativeFields = z.infer<typeof nativeFieldsSchema>;
const native = nativeFieldsSchema.optional();

const mediaUrl = z.string().overwrite(plainMediaUrl);

const textPartSchema = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1),
  /** In the turn of an assistant: it declined with these words. */
  isRefusal: z.literal(true).optional(),
  native,
});
const imagePartSchema = z.strictObject({
  type: z.literal('image'),
  /** https URL, or a data URL such as data:image/png;base64,... */
  url: mediaUrl.regex(
    /^(https?:\/\/|data:image\/[\w.+-]+;base64,)/,
    'expected an https URL, or a data URL such as data:image/png;base64,...',
  ),
  detail: z.string().min(1).max(32).optional(),
  native,
});
const filePartSchema = z.strictObject({
  type: z.literal('file'),
  /** https URL, or a data URL such as data:application/pdf;base64,... */
  url: mediaUrl.regex(
    /^(https?:\/\/|data:[\w.+-]+\/[\w.+-]+;base64,)/,
    'expected an https URL, or a data URL such as data:application/pdf;base64,...',
  ),
  name: z.string().min(1).max(1_024).optional(),
  native,
});
/** What a model wrote as arguments, where it is no JSON object. Source: Anthropic, "Fine-grained tool streaming". */
const INVALID_JSON = 'INVALID_JSON';

/**
 * The arguments of a call in an earlier turn. Vendors want a JSON object there; empty ones become `{}`. Others that are
 * none, as models write them and caps cut them, stand in one: a conversation that holds such a call would end with it.
 */
export const callArgumentsSchema = z.string().overwrite((written) => {
  if (isTextOfObject(written)) return written;
  return /^\s*(null\s*)?$/.test(written) ? '{}' : JSON.stringify({ [INVALID_JSON]: written });
});

export function isTextOfObject(written: string): boolean {
  return written.trimStart().startsWith('{') && isJson(written);
}

const UNNAMED = 'unnamed';

/**
 * What a model called in an earlier turn. Models also write names that no tool has, and clients cut or lose them: a
 * conversation that holds such a call would end with it. A vendor that refuses one gets another.
 */
const calledName = z.string().overwrite((written) => (written.trim() === '' ? UNNAMED : written));

/** A call that the model made in an earlier turn. */
const toolCallPartSchema = z.strictObject({
  type: z.literal('tool-call'),
  id: callId,
  name: calledName,
  /** JSON, as the model wrote it. */
  arguments: callArgumentsSchema,
  native,
});
/** What only one format has: a block, item or part, as its client sent it. Another format cannot take it. */
const nativePartSchema = z.strictObject({
  type: z.literal('native'),
  format: requestFormatSchema,
  value: nativeValue,
  /** Thoughts of a model, signed or encrypted by its vendor. For any other model they are left out. */
  isReasoning: z.literal(true).optional(),
  /** The provider that issued it, if only that one can read it. */
  issuer: z.string().min(1).max(100).optional(),
});
/** Thoughts of the model in an earlier turn of the assistant, as an answer showed them. */
const reasoningPartSchema = z.strictObject({
  type: z.literal('reasoning'),
  /** What was shown of them; may be empty. */
  text: z.string(),
  /**
   * What only their vendor can read, as an answer of this server gave it out. It reaches the provider and account that
   * issued it; any other provider does not get these thoughts.
   */
  sealed: z.string().min(1).max(LIMITS.sealedReasoningChars).optional(),
});
const resultContentSchema = z.discriminatedUnion('type', [
  textPartSchema,
  imagePartSchema,
  filePartSchema,
  nativePartSchema,
]);
const toolResultPartSchema = z.strictObject({
  type: z.literal('tool-result'),
  /** The id of the call that it answers. */
  id: callId,
  content: z.union([z.string(), z.array(resultContentSchema).max(LIMITS.partsPerMessage)]),
  isError: z.boolean().optional(),
  native,
});

const partSchema = z.discriminatedUnion('type', [
  textPartSchema,
  imagePartSchema,
  filePartSchema,
  toolCallPartSchema,
  toolResultPartSchema,
  reasoningPartSchema,
  nativePartSchema,
]);
export type Part = z.infer<typeof partSchema>;
export type ImagePart = z.infer<typeof imagePartSchema>;
export type FilePart = z.infer<typeof filePartSchema>;
export type NativePart = z.infer<typeof nativePartSchema>;
export type ReasoningPart = z.infer<typeof reasoningPartSchema>;
export type ToolResultPart = z.infer<typeof toolResultPartSchema>;
export type ResultContent = z.infer<typeof resultContentSchema>;

/**
 * `tool-call` and `reasoning` parts stand in assistant messages; `image`, `file` and `tool-result` parts in user
 * messages. `system` and `developer` messages hold text and may stand anywhere; a vendor without them gets their text
 * before the conversation.
 */
export const messageSchema = z.strictObject({
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([z.string().min(1), z.array(partSchema).min(1).max(LIMITS.partsPerMessage)]),
  native,
});
export type Message = z.infer<typeof messageSchema>;

/** A JSON Schema object; checked by the provider. */
export const jsonSchemaSchema = limitedRecord(z.string(), z.unknown(), LIMITS.schemaKeys);

export const toolSchema = z.strictObject({
  name,
  description: z.string().optional(),
  parameters: jsonSchemaSchema,
  strict: z
    .boolean()
    .optional()
    .describe('Whether arguments must fit the schema, where the vendor has that.'),
  native,
});
export type Tool = z.infer<typeof toolSchema>;

/** A tool that only one format has, as its client sent it. */
const nativeToolSchema = z.strictObject({
  type: z.literal('native'),
  format: requestFormatSchema,
  value: nativeValue,
});
type NativeTool = z.infer<typeof nativeToolSchema>;

export const toolsSchema = z
  .array(z.union([toolSchema, nativeToolSchema]))
  .min(1)
  .max(LIMITS.toolsPerRequest);
export type Tools = readonly (Tool | NativeTool)[];

export const toolChoiceSchema = z.union([
  z.enum(['auto', 'none', 'required']),
  z.strictObject({ name }),
  /** Only these of the tools; `required`: one of them must be called. */
  z.strictObject({
    allowed: z.array(name).min(1).max(LIMITS.toolsPerRequest),
    mode: z.enum(['auto', 'required']),
  }),
]);
export type ToolChoice = z.infer<typeof toolChoiceSchema>;

/** Fields of a request that only one format has. */
export const nativeRequestSchema = z.strictObject({
  ...nativeFieldsSchema.shape,
  betas: z
    .array(z.string().regex(/^[\w.:-]{1,128}$/))
    .max(LIMITS.betasPerRequest)
    .optional()
    .describe("The names in Anthropic's header anthropic-beta."),
});
export type NativeRequest = z.infer<typeof nativeRequestSchema>;

/** The answer is JSON that fits the schema; without one, any JSON object. */
export const outputSchema = z.strictObject({
  name: name.default('answer'),
  schema: jsonSchemaSchema.optional(),
  description: z.string().optional(),
  strict: z.boolean().optional().describe('true if absent; false: the schema is a hint to the model.'),
});
export type OutputFormat = z.infer<typeof outputSchema>;

/** The tools that every format has. */
export function functionTools(tools: Tools | undefined): readonly Tool[] {
  return (tools ?? []).filter((tool): tool is Tool => !('format' in tool));
}

/** The parts of a message; a plain string is one text part. */
export function partsOf({ content }: Pick<Message, 'content'>): readonly Part[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a message, of its tool calls and of their results: what a tokenizer counts and the cache compares. */
export function textOfMessage(message: Pick<Message, 'content'>): string {
  return partsOf(message).map(textOfPart).join('\n');
}

function textOfPart(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return part.text;
    case 'tool-call':
      return `${part.name} ${part.arguments}`;
    case 'tool-result':
      return textOfResult(part);
    case 'native':
      return JSON.stringify(part.value);
    default:
      return '';
  }
}

/** The text of a tool's result; what is no text is left out. */
export function textOfResult({ content }: Pick<ToolResultPart, 'content'>): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

/** What a tool's result holds besides text. */
export function mediaOfResult({ content }: Pick<ToolResultPart, 'content'>): readonly ResultContent[] {
  return typeof content === 'string' ? [] : content.filter(({ type }) => type !== 'text');
}

/** A part, and what the result of a tool has besides text. */
export function withResultMedia(part: Part): readonly Part[] {
  return part.type === 'tool-result' ? [part, ...mediaOfResult(part)] : [part];
}
