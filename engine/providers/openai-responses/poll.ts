/** Polls a response that is no longer streamed until it has ended, and passes on what is not in the log yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import type { Response, ResponseReasoningItem } from 'openai/resources/responses/responses';
import { MESSAGE_SEPARATOR } from '../../../contracts/fold-events.ts';
import { tokensOfEnd } from '../../../contracts/token-logprobs.ts';
import { malformed } from '../answer-state.ts';
import type { ProviderCursor, ProviderEvent } from '../provider.ts';
import { PART_SEPARATOR } from '../reasoning-items.ts';
import { argumentsOf, isCall, toCall } from './call-items.ts';
import { endResponse } from './end-response.ts';
import { annotationsOfMessage, logprobsOfMessage, textOfMessage } from './message-content.ts';
import { isNativePart, ResponsePosition } from './position.ts';

const POLL_MS = 500;

export async function* pollResponse(
  client: OpenAI,
  from: ProviderCursor,
  { mayBeEmpty, signal }: { readonly mayBeEmpty: boolean; readonly signal: AbortSignal },
): AsyncGenerator<ProviderEvent> {
  const position = new ResponsePosition(from, { isStored: true });
  for (;;) {
    const response = await client.responses.retrieve(from.responseId, {}, { signal });
    if (response === undefined) throw malformed('a response without a body');
    yield* newEvents(response, position);
    if (!isRunning(response)) {
      yield* endResponse(response, position, { mayBeEmpty, refusal: '' });
      return;
    }
    await sleep(POLL_MS, null, { signal });
  }
}

export function* newEvents(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  yield* newReasoning(response, position);
  yield* newContent(response, position);
}

/** Without the reasoning. */
export function* newContent(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  yield* newText(response, position);
  for (const [outputIndex, item] of outputOf(response).entries()) {
    // The JSON around a plain text ends only with it.
    if (!isCall(item) || (item.type === 'custom_tool_call' && isRunning(response))) continue;
    const inLog = position.cursor.toolCalls?.find((toolCall) => toolCall.outputIndex === outputIndex);
    if (inLog === undefined) yield position.startToolCall(outputIndex, toCall(item));
    const rest = argumentsOf(item).slice(inLog?.argumentsChars ?? 0);
    if (rest !== '') yield position.appendArguments(outputIndex, rest);
  }
  const nativeParts = outputOf(response)
    .filter(isNativePart)
    .slice(position.cursor.nativeParts ?? 0);
  for (const item of nativeParts) yield position.nativePart({ ...item });
}

/** Some servers leave it out until it has something. */
function outputOf({ output }: Response): Response['output'] {
  return output ?? [];
}

export function isRunning({ status }: Response): boolean {
  return status === 'in_progress' || status === 'queued';
}

/** The messages, as their stream would have joined them, from the character that is next; each with its citations. */
function* newText(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  let charsBefore = 0;
  let annotationsBefore = 0;
  for (const item of outputOf(response)) {
    if (item.type !== 'message') continue;
    const text = textOfMessage(item);
    const beginsAt = text !== '' && charsBefore > 0 ? charsBefore + MESSAGE_SEPARATOR.length : charsBefore;
    const { textChars } = position.cursor;
    if (textChars <= charsBefore && text !== '') {
      yield* position.startMessage(item.phase);
      yield position.text(text, undefined, logprobsOfMessage(item));
    } else if (textChars < beginsAt + text.length) {
      const rest = text.slice(textChars - beginsAt);
      yield position.text(rest, undefined, tokensOfEnd(logprobsOfMessage(item), rest));
    }
    charsBefore = beginsAt + text.length;
    const annotations = annotationsOfMessage(item);
    const known = (position.cursor.annotations ?? 0) - annotationsBefore;
    for (const annotation of annotations.slice(Math.max(0, known))) {
      yield position.annotation({ ...annotation });
    }
    annotationsBefore += annotations.length;
  }
}

/** The parts of all items are counted as one text, in which a blank line separates them. */
function* newReasoning(response: Response, position: ResponsePosition): Generator<ProviderEvent> {
  const inLog = position.cursor.reasoningChars ?? 0;
  let chars = 0;
  for (const [item, reasoning] of outputOf(response).entries()) {
    if (reasoning.type !== 'reasoning') continue;
    for (const [part, text] of partsOf(reasoning)) {
      if (text === '') continue;
      const whole = chars === 0 ? text : `${PART_SEPARATOR}${text}`;
      const rest = whole.slice(Math.max(0, inLog - chars));
      chars += whole.length;
      if (rest !== '') yield position.reasoning(rest, { item, part });
    }
    if (reasoning.encrypted_content && !position.isSealed(item)) {
      yield position.reasoningData(item, { ...reasoning });
    }
  }
}

/** Servers of open models leave the summary out. */
export function partsOf({
  summary,
  content,
}: Pick<ResponseReasoningItem, 'content'> & { readonly summary?: ResponseReasoningItem['summary'] }): [
  number,
  string,
][] {
  const texts = [...(summary ?? []).entries(), ...(content ?? []).entries()];
  return texts.map(([part, { text }]) => [part, text ?? '']);
}
