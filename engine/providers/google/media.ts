/**
 * Images and files as parts of Gemini. Source: Gemini API, "File input methods", "Video understanding": a page of
 * YouTube and an uploaded file go without a type, and an address of anything else has one.
 */
import type { Part } from '@google/genai';
import type { FilePart, ImagePart } from '../../../contracts/content.ts';
import { isTextFile } from '../../../contracts/text-files.ts';
import { inlineData } from '../message-parts.ts';

/** Of the types of text, the vendor is sure to read one. */
const TEXT = 'text/plain';
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mpg: 'video/mpeg',
  mpeg: 'video/mpeg',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  aac: 'audio/aac',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  txt: TEXT,
  md: TEXT,
  csv: TEXT,
  html: TEXT,
  json: TEXT,
  xml: TEXT,
};
const TYPED_BY_VENDOR = /^(?:(?:www\.|m\.)?youtube\.com|youtu\.be|generativelanguage\.googleapis\.com)$/;

export function toGoogleMedia(part: ImagePart | FilePart): Part {
  const inline = inlineData(part);
  const isText = part.type === 'file' && isTextFile(part);
  if (inline !== null) {
    return { inlineData: { mimeType: isText ? TEXT : inline.mediaType, data: inline.data } };
  }
  const mimeType = typeByAddress(part);
  return { fileData: { fileUri: part.url, ...(mimeType === null ? {} : { mimeType }) } };
}

/** @returns null where the vendor knows the type. */
function typeByAddress({ type, url }: ImagePart | FilePart): string | null {
  const { hostname = '', pathname = '' } = URL.parse(url) ?? {};
  if (TYPED_BY_VENDOR.test(hostname)) return null;
  const [, ending = ''] = /\.(\w+)$/.exec(pathname) ?? [];
  const known = Object.hasOwn(TYPES, ending.toLowerCase()) ? TYPES[ending.toLowerCase()] : undefined;
  return known ?? (type === 'image' ? 'image/jpeg' : 'application/pdf');
}
