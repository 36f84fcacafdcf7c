/** Reads values of a body whose types were checked before. */
import { isObject } from './check-types.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** An object, or an empty one. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** JSON of an object: the arguments of a call. */
export function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Whether a text of the value has half of a pair that only together is a character. */
export function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, own]) => !name.isWellFormed() || hasLoneSurrogate(own));
}

/** The media types that the first bytes of an image can mean. */
const MAGIC: readonly (readonly [string, RegExp])[] = [
  ['image/png', /^\x89PNG/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8/],
  ['image/webp', /^RIFF[\s\S]{4}WEBP/],
];

/** The media type by the first bytes; '' for none that is known. */
export function imageTypeOf(base64: string): string {
  const start = Buffer.from(base64.slice(0, 64), 'base64').toString('latin1');
  return MAGIC.find(([, magic]) => magic.test(start))?.[0] ?? '';
}

export function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/\-_\s]*={0,2}$/.test(text);
}
