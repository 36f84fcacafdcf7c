/** Polls a response that is no longer streamed until it has ended, and passes on what is not in the log yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import type { Response } from 'openai/resources/responses/responses';
import { malformed } from '../answer-state.ts';
import type { ProviderCursor, ProviderEvent } from '../provider.ts';
import { ResponsePosition } from './position.ts';
import { endResponse, PART_SEPARATOR } from './stream.ts';

const POLL_MS = 500;

export async function* pollResponse(
  client: OpenAI,
  from: ProviderCursor,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const position = new ResponsePosition(from, { isStored: true });
  for (;;) {
    const response = await client.responses.retrieve(from.responseId, {}, { signal });
    if (response === undefined) throw malformed('a response without a body');
    yield* newEvents(response, position);
    if (response.status !== 'in_progress' && response.status !== 'queued') {
      const isRefused = response.output.some(
        (item) => item.type === 'message' && item.content.some(({ type }) => type === 'refusal'),
      );
      yield* endResponse(response, position, { mayBeEmpty: position.hasContent, isRefused });
      return;
    }
    await sleep(POLL_MS, null, { signal });
  }
}

function* newEvents(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  const reasoning = reasoningOf(response).slice(position.cursor.reasoningChars ?? 0);
  if (reasoning !== '') yield position.reasoning(reasoning);
  const text = response.output_text.slice(position.cursor.textChars);
  if (text !== '') yield position.text(text);
  for (const [outputIndex, item] of response.output.entries()) {
    if (item.type !== 'function_call') continue;
    const inLog = position.cursor.toolCalls?.find((toolCall) => toolCall.outputIndex === outputIndex);
    if (inLog === undefined) yield position.startToolCall(outputIndex, { id: item.call_id, name: item.name });
    const rest = item.arguments.slice(inLog?.argumentsChars ?? 0);
    if (rest !== '') yield position.appendArguments(outputIndex, rest);
  }
}

function reasoningOf({ output }: Response): string {
  return output
    .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
    .flatMap(({ text }) => (text === '' ? [] : [text]))
    .join(PART_SEPARATOR);
}
