/** Maps the chunks of `streamGenerateContent` to ours. Source: Gemini API reference, "GenerateContentResponse". */
import type { GenerateContentResponse, Part } from '@google/genai';
import { isTextOfObject } from '../../../contracts/content.ts';
import type { Ending } from '../../../contracts/ending.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, brokenCall, malformed, streamCut } from '../answer-state.ts';
import { CitedText } from '../cited-text.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { ReasoningItems } from '../reasoning-items.ts';
import { untilWhole } from '../until-whole.ts';
import { GoogleCitations } from './citations.ts';
import { isApiError } from './errors.ts';
import { ChunkLogprobs } from './logprobs.ts';
import { GoogleCounts } from './usage.ts';

type Chunk = Pick<GenerateContentResponse, 'candidates' | 'promptFeedback' | 'usageMetadata' | 'responseId'>;

const FILTERED: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MODEL_ARMOR',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);
const BROKEN_CALL: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
]);
/** Of an answer that has not ended. */
const NO_REASON = 'FINISH_REASON_UNSPECIFIED';

export async function* mapGoogleStream(
  stream: AsyncIterable<Chunk>,
  call: Pick<ProviderCall, 'resume' | 'input'>,
): AsyncGenerator<ProviderEvent> {
  const text = new CitedText(call);
  const citations = new GoogleCitations(text);
  const answer = new AnswerState(call);
  const counts = new GoogleCounts();
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  const reasoning = new ReasoningItems();
  const calls = new Set<string>();
  let isWhole = false;
  let mediaType: string | null = null;
  for await (const chunk of untilWhole(stream, { isWhole: () => isWhole, isSent: isApiError })) {
    const reported = counts.read(chunk.usageMetadata);
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    const blockReason = chunk.promptFeedback?.blockReason;
    if (blockReason) {
      yield* answer.finish({ reason: 'content-filter', usage, vendorReason: blockReason });
      return;
    }
    const candidate = chunk.candidates?.[0];
    mediaType ??= otherMediaIn(candidate?.content?.parts ?? []);
    const logprobs = new ChunkLogprobs(candidate);
    const { responseId } = chunk;
    for (const part of candidate?.content?.parts ?? []) {
      for (const event of mapGooglePart(part, { answer, reasoning, calls, logprobs, responseId })) {
        if (event.type === 'text') text.add(event.text);
        yield event;
      }
    }
    citations.take(candidate ?? {});
    const reason = candidate?.finishReason;
    const isEnd = Boolean(reason) && reason !== NO_REASON;
    // Some proxies send a reason with every chunk.
    isWhole = isWhole ? candidate?.content?.parts === undefined : isEnd;
    if (reason && isEnd) finishReason = reason;
  }
  if (finishReason === null) throw streamCut();
  yield* citations.close();
  const { hasContent } = answer;
  // Each further call would be paid, and answered in the same way.
  if (!hasContent && mediaType !== null) {
    const message = `The model answered with nothing but ${mediaType}, for which there is no place in an answer.`;
    throw new UnbrokenError('unsupported_by_model', message);
  }
  yield* answer.finish({ usage, ...mapGoogleFinishReason(finishReason, { hasContent }) });
}

/** The type of what is neither text nor a picture of the answer; null if there is nothing of that kind. */
function otherMediaIn(parts: readonly Part[]): string | null {
  const media = parts.find((part) => pictureOf(part) === null && (part.inlineData ?? part.fileData));
  return media === undefined ? null : (media.inlineData?.mimeType ?? media.fileData?.mimeType ?? 'media');
}

/** As chat completions of OpenRouter have it. Models also sketch pictures among their thoughts. */
function pictureOf({ inlineData, fileData, thought }: Part): Readonly<Record<string, unknown>> | null {
  const { mimeType = '' } = inlineData ?? fileData ?? {};
  if (thought === true || !mimeType.startsWith('image/')) return null;
  const url = inlineData?.data ? `data:${mimeType};base64,${inlineData.data}` : fileData?.fileUri;
  return url ? { type: 'image_url', image_url: { url } } : null;
}

interface PartContext {
  readonly answer: AnswerState;
  readonly reasoning: ReasoningItems;
  /** Those that have arrived, by what the vendor says of each. */
  readonly calls: Set<string>;
  readonly logprobs: ChunkLogprobs;
  readonly responseId: string | undefined;
}

/** A tool call comes in one part, which some proxies send again. Its id is optional. */
function* mapGooglePart(
  part: Part,
  { answer, reasoning, calls, logprobs, responseId }: PartContext,
): Generator<ProviderEvent> {
  const { thoughtSignature } = part;
  const signed = { wire: 'google', value: { thoughtSignature } } as const;
  if (part.functionCall) {
    const { id, name, args } = part.functionCall;
    reasoning.close();
    const written = writtenArguments(args);
    const seen = `${id} ${name} ${written}`;
    if (id && calls.has(seen)) return;
    const callId = answer.uniqueCallId(id || (responseId && `${responseId}-${calls.size}`));
    calls.add(id ? seen : callId);
    if (thoughtSignature) yield { type: 'reasoning-data', data: { ...signed, callId } };
    yield answer.startToolCall(callId, callId, name ?? '');
    yield answer.appendArguments(callId, written);
    return;
  }
  if (part.text !== undefined && part.text !== '') {
    if (typeof part.text !== 'string') throw malformed('a part without text');
    if (part.thought === true) yield reasoning.text(part.text);
    else {
      reasoning.close();
      yield answer.text(part.text, logprobs.take());
    }
  }
  const picture = pictureOf(part);
  if (picture !== null) {
    reasoning.close();
    yield answer.nativePart('openai-chat', picture);
  }
  // Of the text: the vendor signs its last part, or an empty one behind it.
  if (thoughtSignature && part.thought !== true) {
    const value = { text: part.text ?? '', thoughtSignature };
    yield { type: 'reasoning-data', data: { wire: 'google', value } };
  }
}

/** Some proxies send them as they stand in other formats: as text. */
function writtenArguments(args: unknown): string {
  return typeof args === 'string' && isTextOfObject(args) ? args : JSON.stringify(args ?? {});
}

/** A reason that is not known ends an answer with content; without any, the vendor gave up. */
function mapGoogleFinishReason(
  reason: string,
  { hasContent }: { readonly hasContent: boolean },
): Ending & { readonly reason: FinishReason } {
  if (reason === 'STOP') return { reason: 'stop' };
  if (reason === 'MAX_TOKENS') return { reason: 'length' };
  if (reason === 'CONTINUATION') return { reason: 'length', vendorReason: reason };
  if (FILTERED.has(reason)) return { reason: 'content-filter', vendorReason: reason };
  if (BROKEN_CALL.has(reason)) throw brokenCall();
  if (hasContent) return { reason: 'stop', vendorReason: reason };
  throw new UnbrokenError('provider_unavailable', `The answer ended without content (${reason}).`);
}
