/** Reads the parts of messages as the wire formats need them. */
import {
  type FilePart,
  functionTools,
  type ImagePart,
  type Message,
  mediaOfResult,
  type Part,
  partsOf,
  type Tool,
  type ToolResultPart,
  textOfResult,
} from '../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../contracts/generation.ts';
import { isJsonObject, parseJson } from '../../contracts/json.ts';
import { isTextFile } from '../../contracts/text-files.ts';

const FAILED = 'Error';

type PartOf<Type extends Part['type']> = Extract<Part, { type: Type }>;

/** The parts of one type. */
export function partsOfType<Type extends Part['type']>(message: Message, type: Type): PartOf<Type>[] {
  return partsOf(message).filter((part): part is PartOf<Type> => part.type === type);
}

/** The parts of a message, tool results first: most vendors want them directly after their tool calls. */
export function resultsFirst(message: Message): readonly Part[] {
  const isResult = ({ type }: Part) => type === 'tool-result';
  const parts = partsOf(message);
  return [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
}

/** The texts of an answer follow each other without a break; those of a client are apart. */
const SEPARATORS = { assistant: '', user: '\n', system: '\n\n', developer: '\n\n' } as const;

export function joinTexts(texts: readonly string[], role: Message['role']): string {
  const separator = SEPARATORS[role];
  return texts.reduce((before, text) => {
    const isApart = before === '' || before.endsWith('\n') || text.startsWith('\n');
    return `${before}${isApart ? '' : separator}${text}`;
  }, '');
}

/** The text of a message. */
export function plainText(message: Message): string {
  const texts = partsOfType(message, 'text').map(({ text }) => text);
  return joinTexts(texts, message.role);
}

/** The parts of a data URL; null if the image or file has an https URL. */
export function inlineData({
  url,
}: ImagePart | FilePart): { readonly mediaType: string; readonly data: string } | null {
  const match = /^data:([^;]+);base64,/.exec(url);
  const mediaType = match?.[1];
  return match === null || mediaType === undefined ? null : { mediaType, data: url.slice(match[0].length) };
}

/** The names of the called tools, by the ids of their tool calls. */
export function toolNames(messages: readonly Message[]): ReadonlyMap<string, string> {
  return new Map(
    messages.flatMap((message) => partsOfType(message, 'tool-call').map(({ id, name }) => [id, name])),
  );
}

/** The arguments of a tool call as an object; an empty one if the model did not write a JSON object. */
export function parsedArguments(written: string): Record<string, unknown> {
  try {
    const value: unknown = parseJson(written);
    return isJsonObject(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

/** The system messages before the conversation, and what follows. */
export function withoutLeadingSystem(messages: readonly Message[]): {
  readonly leading: readonly Message[];
  readonly rest: readonly Message[];
} {
  const first = messages.findIndex((message) => !isSystem(message));
  const end = first < 0 ? messages.length : first;
  return { leading: messages.slice(0, end), rest: messages.slice(end) };
}

/**
 * For vendors that take one system text, and no system message among the others. A system text alone is sent as the
 * user's, because such vendors require a conversation.
 */
export function withOneSystemText({ system, messages }: Pick<GenerationInput, 'system' | 'messages'>): {
  readonly system: string | undefined;
  readonly messages: readonly Message[];
} {
  const texts = [system ?? '', ...messages.filter(isSystem).map(plainText)].filter((text) => text !== '');
  const joined = texts.length === 0 ? undefined : texts.join('\n\n');
  const rest = messages.filter((message) => !isSystem(message));
  if (rest.length > 0 || joined === undefined) return { system: joined, messages: rest };
  return { system: undefined, messages: [{ role: 'user', content: joined }] };
}

/** For vendors whose results have no mark for a failure: a model takes a failed one for another without it. */
export function withFailure(result: ToolResultPart): ToolResultPart {
  const { content, isError } = result;
  if (isError !== true || /^\W*(error|fail)/i.test(textOfResult(result))) return result;
  if (typeof content === 'string')
    return { ...result, content: content === '' ? FAILED : `${FAILED}: ${content}` };
  return { ...result, content: [{ type: 'text', text: `${FAILED}:` }, ...content] };
}

/** The images and files in the results of tools. Where results hold only text, they follow as the user's. */
export function resultMedia(message: Message): readonly Part[] {
  return partsOfType(message, 'tool-result').flatMap(mediaOfResult);
}

/** The text of a file of text, which every model reads; null for any other file. */
export function textOfFile(file: FilePart): string | null {
  const inline = inlineData(file);
  if (inline === null || !isTextFile(file)) return null;
  const text = Buffer.from(inline.data, 'base64').toString('utf8');
  return file.name === undefined ? text : `${file.name}\n\n${text}`;
}

/** The tools that may be called, for vendors whose choice cannot name several. */
export function allowedTools({ tools, toolChoice }: GenerationInput): readonly Tool[] {
  const offered = functionTools(tools);
  if (typeof toolChoice !== 'object' || !('allowed' in toolChoice)) return offered;
  return offered.filter(({ name }) => toolChoice.allowed.includes(name));
}

/** The nearest of three efforts, for vendors that have no others; null for none. */
export function nearestOfThree(effort: ReasoningEffort): 'low' | 'medium' | 'high' | null {
  if (effort === 'none') return null;
  if (effort === 'minimal' || effort === 'low') return 'low';
  return effort === 'medium' ? 'medium' : 'high';
}
