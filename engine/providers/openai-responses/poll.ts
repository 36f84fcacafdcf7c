/** A response that can be streamed no more is asked for until it has ended; what is not yet in the log is passed on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import type { Response } from 'openai/resources/responses/responses';
import { malformed } from '../answer-state.ts';
import type { ProviderCursor, ProviderEvent } from '../provider.ts';
import { createResponsePosition, type ResponsePosition } from './position.ts';
import { endOf } from './stream.ts';

const POLL_MS = 500;

export async function* pollResponse(
  client: OpenAI,
  from: ProviderCursor,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const position = createResponsePosition(from);
  for (;;) {
    const response = await client.responses.retrieve(from.responseId, {}, { signal });
    if (response === undefined) throw malformed('a response without a body');
    yield* whatIsNew(response, position);
    if (response.status !== 'in_progress' && response.status !== 'queued') {
      const isRefused = response.output.some(
        (item) => item.type === 'message' && item.content.some(({ type }) => type === 'refusal'),
      );
      yield* endOf(response, position, position.hasContent(), isRefused);
      return;
    }
    await sleep(POLL_MS, null, { signal });
  }
}

function* whatIsNew(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  const reasoning = reasoningOf(response).slice(position.cursor().reasoningChars ?? 0);
  if (reasoning !== '') yield position.reasoning(reasoning);
  const text = response.output_text.slice(position.cursor().textChars);
  if (text !== '') yield position.text(text);
  for (const [outputIndex, item] of response.output.entries()) {
    if (item.type !== 'function_call') continue;
    const known = () => position.cursor().toolCalls?.find((call) => call.outputIndex === outputIndex);
    if (known() === undefined) yield position.call(outputIndex, item.call_id, item.name);
    const rest = item.arguments.slice(known()?.argumentsChars ?? 0);
    if (rest !== '') yield position.more(outputIndex, rest);
  }
}

function reasoningOf({ output }: Response): string {
  return output
    .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
    .map(({ text }) => text)
    .join('');
}
