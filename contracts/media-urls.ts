/**
 * Data URLs as vendors take them. What a data URL may say beside its type, such as a character set, no vendor reads,
 * and a type in capitals they refuse, as they refuse base64 that its writer has broken into lines, left without its
 * padding, or written for URLs. Where the type says nothing, the first bytes do.
 */

const DATA_HEAD = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,/i;
const NO_TYPE = /^(?:application|binary)\/octet-stream$/;
/** How files of a type begin in base64. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^JVBERi0/, 'application/pdf'],
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
];
const HEAD_CHARS = 32;

/** Any other address stays as it is. */
export function plainMediaUrl(url: string): string {
  const [head] = DATA_HEAD.exec(url) ?? [];
  const type = typeOfDataUrl(url);
  if (head === undefined || type === null) return url;
  const written = url.slice(head.length);
  const data = plainBase64(written);
  const plain = `data:${type};base64,`;
  return head === plain && data === written ? url : `${plain}${data}`;
}

/** In small letters; null for any other address. */
export function typeOfDataUrl(url: string): string | null {
  const [head = '', named] = DATA_HEAD.exec(url) ?? [];
  const type = named?.toLowerCase() ?? null;
  if (type === null || !NO_TYPE.test(type)) return type;
  const beginning = url.slice(head.length, head.length + HEAD_CHARS);
  return BEGINNINGS.find(([pattern]) => pattern.test(beginning))?.[1] ?? type;
}

export function plainBase64(written: string): string {
  const data = /[\s_-]/.test(written)
    ? written.replace(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/')
    : written;
  if (data.length % 4 === 0) return data;
  const bare = data.replace(/=+$/, '');
  return bare.length % 4 === 1 ? data : bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
}
