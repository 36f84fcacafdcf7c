/** Spoken parts of a chat completion, which only some vendors hear. Source: OpenAI, "Audio and speech". */
import { z } from 'zod';
import { type Message, type NativePart, partsOf } from './content.ts';

const audioPart = z.object({
  type: z.literal('input_audio'),
  input_audio: z.object({ data: z.string(), format: z.string().regex(/^[\w.+-]{1,32}$/) }),
});

/** @returns null for any other part. */
export function audioOf({ format, value }: NativePart): {
  readonly mediaType: string;
  readonly data: string;
} | null {
  const { data: part } = format === 'openai-chat' ? audioPart.safeParse(value) : {};
  if (part === undefined) return null;
  const { data, format: kind } = part.input_audio;
  return { mediaType: `audio/${kind}`, data: data.replace(/^data:[^,]*,/, '') };
}

/** Whether something in a conversation is spoken. */
export function hasAudio({ messages }: { readonly messages: readonly Message[] }): boolean {
  return messages.some((message) =>
    partsOf(message).some((part) => part.type === 'native' && audioOf(part) !== null),
  );
}
