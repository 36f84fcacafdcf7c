/**
 * Counts the input of a request with our tokenizer: close to the vendor's count, but not equal. Agents compact a
 * conversation by it.
 */
import { type Message, type Part, type Tools, textOfMessage } from '../../contracts/content.ts';
import type { CountTexts } from '../../contracts/count-tokens.ts';
import { mediaTokens } from '../../contracts/tokens.ts';

/** Tokens that the formats add around each message. */
const TOKENS_PER_MESSAGE = 4;

interface CountedInput {
  readonly system?: string | undefined;
  readonly messages: readonly Message[];
  readonly tools?: Tools | undefined;
}

export async function countInput(
  countTexts: CountTexts,
  { system = '', messages, tools = [] }: CountedInput,
): Promise<number> {
  const read = messages.map(withoutSignatures);
  const texts = [system, ...read.map(textOfMessage), ...tools.map((tool) => JSON.stringify(tool))];
  const counted = (await countTexts(texts)).reduce((sum, count) => sum + count, 0);
  return counted + TOKENS_PER_MESSAGE * read.length + mediaTokens(read);
}

/** A signature is longer than what it signs, and no model reads it. */
function withoutSignatures(message: Message): Message {
  if (typeof message.content === 'string') return message;
  return { ...message, content: message.content.map(withoutSignature) };
}

function withoutSignature(part: Part): Part {
  if (part.type !== 'native' || part.isReasoning !== true) return part;
  const { thinking } = part.value;
  return { type: 'reasoning', text: typeof thinking === 'string' ? thinking : '' };
}
