/**
 * Fields of one format in messages, parts and tools, for servers that refuse the whole request for one that they do
 * not know. Clients send back what they were given, such as the thoughts and annotations of an earlier answer, and
 * marks for the cache of another vendor. Only what an answer is as valid without is left out.
 */
import { type Message, type NativeFields, type Part, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isJsonObject } from '../../../contracts/json.ts';
import { type FieldPlace, isHint } from '../native-fields.ts';
import type { FittedInput } from './rule.ts';

type Holder = { readonly native?: NativeFields | undefined };

/** @param isTaken whether the server takes a field of this name. */
export function withKnownFields(
  input: GenerationInput,
  isTaken: (place: FieldPlace, name: string) => boolean,
): FittedInput {
  const dropped = new Set<string>();
  const strip = <Own extends Holder>(place: FieldPlace, label: string, own: Own): Own => {
    const { native } = own;
    if (native === undefined) return own;
    const fields = knownOf(native.fields, '', (path) => {
      if (!isHint(place, path) || isTaken(place, path)) return true;
      dropped.add(`${label}${path}`);
      return false;
    });
    if (fields === native.fields) return own;
    if (Object.keys(fields).length > 0) return { ...own, native: { ...native, fields } };
    const { native: _, ...rest } = own;
    return rest as Own;
  };
  const stripPart = (part: Part): Part => {
    if (part.type === 'native' || part.type === 'reasoning') return part;
    const own = strip(part.type, `${part.type}.`, part);
    if (own.type !== 'tool-result' || typeof own.content === 'string') return own;
    return {
      ...own,
      content: mapSame(own.content, stripPart as <Inner extends Part>(inner: Inner) => Inner),
    };
  };
  const stripMessage = (message: Message): Message => {
    const own = strip('message', 'messages.', message);
    if (typeof own.content === 'string') return own;
    const content = mapSame(partsOf(own), stripPart);
    return content === own.content ? own : { ...own, content: [...content] };
  };
  const messages = mapSame(input.messages, stripMessage);
  const tools =
    input.tools === undefined
      ? undefined
      : mapSame(input.tools, (tool) => ('format' in tool ? tool : strip('tool', 'tools.', tool)));
  const { native: _, ...rest } = input;
  const known = { ...rest, messages, ...(tools === undefined ? {} : { tools }) };
  if (input.native === undefined) return { input: known, dropped: [...dropped] };
  const { fields = {} } = strip('request', '', { native: input.native }).native ?? {};
  const isEmpty = Object.keys(fields).length === 0 && input.native.betas === undefined;
  return {
    input: isEmpty ? known : { ...known, native: { ...input.native, fields } },
    dropped: [...dropped],
  };
}

/** The fields that are kept, also within objects; the same object where that is all of them. */
function knownOf(
  fields: Readonly<Record<string, unknown>>,
  above: string,
  isKept: (path: string) => boolean,
): Readonly<Record<string, unknown>> {
  let isSame = true;
  const kept = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const path = `${above}${name}`;
    const inner = isJsonObject(value) && above === '' ? knownOf(value, `${path}.`, isKept) : value;
    const isEmptied = inner !== value && isJsonObject(inner) && Object.keys(inner).length === 0;
    if (!isKept(path) || isEmptied) {
      isSame = false;
      return [];
    }
    if (inner !== value) isSame = false;
    return [[name, inner]];
  });
  return isSame ? fields : Object.fromEntries(kept);
}

function mapSame<Item>(items: readonly Item[], map: (item: Item) => Item): Item[] {
  const mapped = items.map(map);
  return mapped.every((item, index) => item === items[index]) ? (items as Item[]) : mapped;
}
