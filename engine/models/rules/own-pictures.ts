/** Pictures in the turns of the assistant, which only the models that make them take back. */
import { type Message, partsOf } from '../../../contracts/content.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';

/** Gemini's image models change a picture that they have made. Source: Gemini API, "Image generation". */
const TAKES_OWN_PICTURES: ReadonlySet<WireFamily> = new Set(['google']);
/** A turn that was a picture alone must not be empty. */
const IN_ITS_PLACE = '[A picture]';

/** The same messages where they have none. */
export function withoutOwnPictures(messages: readonly Message[], wire: WireFamily): readonly Message[] {
  if (TAKES_OWN_PICTURES.has(wire) || !messages.some(hasPicture)) return messages;
  return messages.map((message) =>
    hasPicture(message)
      ? {
          ...message,
          content: partsOf(message).map((part) =>
            part.type === 'image' ? { type: 'text' as const, text: IN_ITS_PLACE } : part,
          ),
        }
      : message,
  );
}

function hasPicture(message: Message): boolean {
  return message.role === 'assistant' && partsOf(message).some(({ type }) => type === 'image');
}
