/** Reads the parts of messages as the wire formats need them. */
import { type ImagePart, type Message, type Part, partsOf } from '../../contracts/content.ts';
import { isExactNumber, parseJson } from '../../contracts/json.ts';

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

/** The text of a message: its text parts, concatenated. */
export function plainText(message: Message): string {
  return partsOfType(message, 'text')
    .map(({ text }) => text)
    .join('');
}

/** The parts of a data URL; null if the image has an https URL. */
export function inlineImage({
  url,
}: ImagePart): { readonly mediaType: string; readonly data: string } | null {
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
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !isExactNumber(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
