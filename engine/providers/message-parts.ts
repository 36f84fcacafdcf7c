/** Parts of messages as the wire formats need them. */
import { type ImagePart, type Message, type Part, partsOf } from '../../contracts/content.ts';
import { isExactNumber, parseJson } from '../../contracts/json.ts';

export type PartOf<Type extends Part['type']> = Extract<Part, { type: Type }>;

/** The parts of one type. */
export function partsOfType<Type extends Part['type']>(message: Message, type: Type): PartOf<Type>[] {
  return partsOf(message).filter((part): part is PartOf<Type> => part.type === type);
}

/** The parts of a message, the results of tools first: most vendors want them right after their calls. */
export function resultsFirst(message: Message): readonly Part[] {
  const isResult = ({ type }: Part) => type === 'tool-result';
  const parts = partsOf(message);
  return [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
}

/** The text of a message, its text parts one after the other. */
export function plainText(message: Message): string {
  return partsOfType(message, 'text')
    .map(({ text }) => text)
    .join('');
}

/** A data URL taken apart; null where the image is named by an https URL. */
export function inlineImage({
  url,
}: ImagePart): { readonly mediaType: string; readonly data: string } | null {
  const found = /^data:([^;]+);base64,/.exec(url);
  const mediaType = found?.[1];
  return found === null || mediaType === undefined ? null : { mediaType, data: url.slice(found[0].length) };
}

/** The names of the tools that were called, by the ids of the calls. */
export function toolNames(messages: readonly Message[]): ReadonlyMap<string, string> {
  return new Map(
    messages.flatMap((message) => partsOfType(message, 'tool-call').map(({ id, name }) => [id, name])),
  );
}

/** The arguments of a call as an object; an empty one where the model wrote what is no JSON object. */
export function parsedArguments(written: string): Record<string, unknown> {
  try {
    const value: unknown = parseJson(written);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !isExactNumber(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
