/** Maps the chunks of `streamGenerateContent` to ours. Source: Gemini API reference, "GenerateContentResponse". */
import type { GenerateContentResponse, Part } from '@google/genai';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, malformed, streamCut } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { mapGoogleUsage } from './usage.ts';

type Chunk = Pick<GenerateContentResponse, 'candidates' | 'promptFeedback' | 'usageMetadata' | 'responseId'>;

const FILTERED: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);
const BROKEN_CALL: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
]);

/** @param mayBeEmpty whether an answer without new content is complete: the text delivered before was the whole. */
export async function* mapGoogleStream(
  stream: AsyncIterable<Chunk>,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty });
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let calls = 0;
  for await (const chunk of stream) {
    const reported = mapGoogleUsage(chunk.usageMetadata);
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    if (chunk.promptFeedback?.blockReason !== undefined) {
      throw new UnbrokenError('content_filtered', 'The prompt was blocked by a filter.');
    }
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      yield* mapGooglePart(part, answer, `${chunk.responseId ?? 'call'}-${calls}`);
      if (part.functionCall !== undefined) calls += 1;
    }
    finishReason = candidate?.finishReason ?? finishReason;
  }
  if (finishReason === null) throw streamCut();
  yield* answer.finish(mapGoogleFinishReason(finishReason), usage);
}

/** A tool call comes in one part. Its id is optional, so we have a fallback. */
function* mapGooglePart(part: Part, answer: AnswerState, fallbackId: string): Generator<ProviderEvent> {
  if (part.functionCall !== undefined) {
    const { id, name, args } = part.functionCall;
    yield answer.startToolCall(fallbackId, id || fallbackId, name ?? '');
    yield answer.appendArguments(fallbackId, JSON.stringify(args ?? {}));
  } else if (part.text !== undefined && part.text !== '') {
    if (typeof part.text !== 'string') throw malformed('a part without text');
    yield part.thought === true ? { type: 'reasoning', text: part.text } : answer.text(part.text);
  }
}

function mapGoogleFinishReason(reason: string): FinishReason {
  if (reason === 'STOP') return 'stop';
  if (reason === 'MAX_TOKENS') return 'length';
  if (FILTERED.has(reason)) {
    throw new UnbrokenError('content_filtered', `The answer was cut by a filter (${reason.toLowerCase()}).`);
  }
  if (BROKEN_CALL.has(reason)) throw malformed('a broken tool call');
  throw new UnbrokenError('provider_unavailable', 'The answer ended without a known reason.');
}
