/** A whole completion as one chunk that has everything. */
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';

type Message = ChatCompletion['choices'][number]['message'];

/** A chunk as it is. Some servers answer whole, or with a message in place of a delta. */
export function asChunk(chunk: ChatCompletionChunk): ChatCompletionChunk {
  const [choice] = (chunk.choices ?? []) as readonly { message?: Message; delta?: unknown }[];
  if (choice?.message === undefined || choice.message === null || choice.delta) return chunk;
  const { message, ...others } = choice;
  const calls = message.tool_calls?.map((toolCall, index) => ({ ...toolCall, index }));
  const delta = { ...message, ...(calls === undefined ? {} : { tool_calls: calls }) };
  return { ...chunk, choices: [{ ...others, delta }] } as unknown as ChatCompletionChunk;
}
