/** Spoken parts of a chat completion, which only some vendors hear. Source: OpenAI, "Audio and speech". */
import { z } from 'zod';
import { type Message, type Part, partsOf } from './content.ts';
import { plainBase64 } from './media-urls.ts';

const audioPart = z.object({
  type: z.literal('input_audio'),
  input_audio: z.object({ data: z.string(), format: z.string().regex(/^[\w.+-]{1,32}$/) }),
});

/** @returns null for any other part. */
export function audioOf(part: Part): { readonly mediaType: string; readonly data: string } | null {
  if (part.type !== 'native' || part.format !== 'openai-chat') return null;
  const { data: spoken } = audioPart.safeParse(part.value);
  if (spoken === undefined) return null;
  const { data, format: kind } = spoken.input_audio;
  return { mediaType: `audio/${kind.toLowerCase()}`, data: plainBase64(data.replace(/^data:[^,]*,/, '')) };
}

/** Whether something in a conversation is spoken. */
export function hasAudio({ messages }: { readonly messages: readonly Message[] }): boolean {
  return messages.flatMap(partsOf).some((part) => audioOf(part) !== null);
}
