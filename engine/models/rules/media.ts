/** The images and files of a request: what they are by their own bytes, and what a vendor reads. */
import {
  type FilePart,
  type ImagePart,
  type Message,
  mediaOfResult,
  type Part,
  partsOf,
} from '../../../contracts/content.ts';
import { isTextFile } from '../../../contracts/text-files.ts';
import { mapParts, type Violation } from './rule.ts';

/** What a vendor reads. */
interface MediaRule {
  readonly imageTypes: readonly string[];
  /** Longest base64 of one image, in characters. */
  readonly imageChars?: number;
  readonly images?: number;
  /** Types of inline files besides text; absent: any. */
  readonly fileTypes?: readonly string[];
}

const DATA_URL = /^data:([^;,]+);base64,/;
/** Enough to recognise every type below. */
const HEAD_CHARS = 64;

/** Bytes near the start of a file, by type. Source: WHATWG, "MIME Sniffing"; ISO 23008-12 for HEIF. */
const SIGNATURES: readonly (readonly [type: string, at: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF87a'],
  ['image/gif', 0, 'GIF89a'],
  ['image/webp', 8, 'WEBPVP'],
  ['image/heic', 4, 'ftyphei'],
  ['image/heif', 4, 'ftypmif1'],
  ['image/bmp', 0, 'BM'],
  ['image/tiff', 0, 'II*\0'],
  ['image/tiff', 0, 'MM\0*'],
  ['application/pdf', 0, '%PDF-'],
];

/** Corrects the type of an image whose bytes say another: vendors refuse the one that its client guessed. */
export function withTrueImageTypes(messages: readonly Message[]): readonly Message[] {
  const corrected = <Own extends Part>(part: Own): Own => {
    if (part.type !== 'image') return part;
    const { declared, actual, data } = typesOf(part.url);
    const type =
      actual?.startsWith('image/') === true ? actual : declared === 'image/jpg' ? 'image/jpeg' : null;
    return type === null || type === declared ? part : { ...part, url: `data:${type};base64,${data}` };
  };
  return mapParts(messages, (part) => {
    if (part.type !== 'tool-result' || typeof part.content === 'string') return corrected(part);
    const content = part.content.map(corrected);
    return content.every((own, index) => own === part.content[index]) ? part : { ...part, content };
  });
}

export function* mediaViolations(messages: readonly Message[], rule: MediaRule): Iterable<Violation> {
  let images = 0;
  for (const part of mediaIn(messages)) {
    if (part.type === 'image') {
      images += 1;
      yield* imageViolations(part, rule);
    } else yield* fileViolations(part, rule);
  }
  if (images > (rule.images ?? Number.POSITIVE_INFINITY)) {
    yield { field: 'input', demand: `has ${images} images of at most ${rule.images}` };
  }
}

/** For vendors that load nothing from an address. */
export function* remoteMediaViolations(
  messages: readonly Message[],
  types: readonly ('image' | 'file')[],
): Iterable<Violation> {
  for (const { type, url } of mediaIn(messages)) {
    if (!types.includes(type) || url.startsWith('data:')) continue;
    const kind = type === 'image' ? 'an image' : 'a file (file_url, document)';
    yield {
      field: 'input',
      demand: `has ${kind} with an address, which it does not load; send it as a data URL`,
    };
  }
}

function* imageViolations({ url }: ImagePart, { imageTypes, imageChars }: MediaRule): Iterable<Violation> {
  const { declared, actual, data } = typesOf(url);
  const type = actual ?? (declared === 'image/jpg' ? 'image/jpeg' : declared);
  if (type !== null && !imageTypes.includes(type)) {
    yield { field: 'input', demand: `has an image of type ${type}; it reads ${imageTypes.join(', ')}` };
  }
  if (imageChars !== undefined && data.length > imageChars) {
    const demand = `has an image of ${data.length} characters in base64, of at most ${imageChars}`;
    yield { field: 'input', demand };
  }
}

function* fileViolations(file: FilePart, { fileTypes }: MediaRule): Iterable<Violation> {
  const { declared } = typesOf(file.url);
  if (fileTypes === undefined || declared === null || isTextFile(file)) return;
  if (fileTypes.includes(declared)) return;
  const demand = `has a file of type ${declared}; it reads text and ${fileTypes.join(', ')}`;
  yield { field: 'input', demand };
}

/** null for what is not inline, or not recognised. */
function typesOf(url: string): {
  readonly declared: string | null;
  readonly actual: string | null;
  readonly data: string;
} {
  const match = DATA_URL.exec(url);
  if (match === null) return { declared: null, actual: null, data: '' };
  const data = url.slice(match[0].length);
  const head = Buffer.from(data.slice(0, HEAD_CHARS), 'base64').toString('latin1');
  const actual = SIGNATURES.find(([, at, bytes]) => head.startsWith(bytes, at))?.[0] ?? null;
  return { declared: match[1]?.toLowerCase() ?? null, actual, data };
}

function* mediaIn(messages: readonly Message[]): Iterable<ImagePart | FilePart> {
  for (const message of messages) {
    if (typeof message.content === 'string') continue;
    for (const part of partsOf(message)) {
      const own = part.type === 'tool-result' ? mediaOfResult(part) : [part];
      for (const media of own) if (media.type === 'image' || media.type === 'file') yield media;
    }
  }
}
