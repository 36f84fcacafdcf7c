/** Pictures of an answer. In the log, those of every vendor are as OpenRouter's chat completions have them. */
import { z } from 'zod';
import type { NativePart } from '../../contracts/content.ts';

const FORMAT = 'openai-chat';
const DATA_URL = /^data:(image\/[\w.+-]+);base64,/;
const UNKNOWN_TYPE = 'image/*';

const pictureSchema = z.looseObject({ image_url: z.looseObject({ url: z.string().min(1) }) });

interface Picture {
  readonly url: string;
  readonly mediaType: string;
  /** Its bytes; null if it has only an address. */
  readonly base64: string | null;
}

/** @returns null for anything else that only one format has. */
export function pictureIn({ format, value }: Pick<NativePart, 'format' | 'value'>): Picture | null {
  const { data } = format === FORMAT ? pictureSchema.safeParse(value) : {};
  if (data === undefined) return null;
  const { url } = data.image_url;
  const [start = '', mediaType = UNKNOWN_TYPE] = DATA_URL.exec(url) ?? [];
  return { url, mediaType, base64: start === '' ? null : url.slice(start.length) };
}

/** What stands in its place where a format has none for it. */
export function noteOfPicture({ mediaType, base64, url }: Picture): string {
  return base64 === null
    ? `[The model sent a picture: ${url}]`
    : `[The model sent a picture (${mediaType}), for which this format has no place.]`;
}
