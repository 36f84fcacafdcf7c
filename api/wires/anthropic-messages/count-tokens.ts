/** What `count_tokens` answers: close to the vendor's count, but not equal. Agents compact a conversation by it. */
import { type Message, type Part, textOfMessage } from '../../../contracts/content.ts';
import type { CountTexts } from '../../../contracts/count-tokens.ts';
import { mediaTokens } from '../../../contracts/tokens.ts';
import { mapMessagesInput, type TokenCountRequest } from './request.ts';

/** Tokens that the format adds around each message. */
const TOKENS_PER_MESSAGE = 4;

/** Counts with our tokenizer. */
export async function countInputTokens(countTexts: CountTexts, body: TokenCountRequest): Promise<number> {
  const { input, system, tools = [] } = mapMessagesInput(body);
  const messages = Array.isArray(input) ? input.map(withoutSignatures) : [];
  const texts = [system ?? '', ...messages.map(textOfMessage), ...tools.map((tool) => JSON.stringify(tool))];
  const counted = (await countTexts(texts)).reduce((sum, count) => sum + count, 0);
  return counted + TOKENS_PER_MESSAGE * messages.length + mediaTokens(messages);
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
