/** Maps the chunks of `streamGenerateContent` to ours. Source: Gemini API reference, "GenerateContentResponse". */
import type { GenerateContentResponse, Part } from '@google/genai';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Ending, FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, malformed, mayBeEmpty, streamCut } from '../answer-state.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
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

export async function* mapGoogleStream(
  stream: AsyncIterable<Chunk>,
  call: Pick<ProviderCall, 'resume' | 'input'>,
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty: mayBeEmpty(call) });
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let calls = 0;
  for await (const chunk of stream) {
    const reported = mapGoogleUsage(chunk.usageMetadata);
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    const blockReason = chunk.promptFeedback?.blockReason;
    if (blockReason !== undefined) {
      yield* answer.finish({ reason: 'content-filter', usage, vendorReason: blockReason });
      return;
    }
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      yield* mapGooglePart(part, answer, `${chunk.responseId ?? 'call'}-${calls}`);
      if (part.functionCall !== undefined) calls += 1;
    }
    finishReason = candidate?.finishReason ?? finishReason;
  }
  if (finishReason === null) throw streamCut();
  const { hasContent } = answer;
  yield* answer.finish({ usage, ...mapGoogleFinishReason(finishReason, { hasContent }) });
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

/** A reason that is not known ends an answer with content; without any, the vendor gave up. */
function mapGoogleFinishReason(
  reason: string,
  { hasContent }: { readonly hasContent: boolean },
): Ending & { readonly reason: FinishReason } {
  if (reason === 'STOP') return { reason: 'stop' };
  if (reason === 'MAX_TOKENS') return { reason: 'length' };
  if (FILTERED.has(reason)) return { reason: 'content-filter', vendorReason: reason };
  if (BROKEN_CALL.has(reason)) throw malformed('a broken tool call');
  if (hasContent) return { reason: 'stop', vendorReason: reason };
  throw new UnbrokenError('provider_unavailable', `The answer ended without content (${reason}).`);
}
