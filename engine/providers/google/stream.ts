/** Maps the chunks of `streamGenerateContent` to ours. Source: Gemini API reference, "GenerateContentResponse". */
import type { GenerateContentResponse, Part } from '@google/genai';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Ending, FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, malformed, mayBeEmpty, streamCut } from '../answer-state.ts';
import { CitedText } from '../cited-text.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { ReasoningItems } from '../reasoning-items.ts';
import { GoogleCitations } from './citations.ts';
import { ChunkLogprobs } from './logprobs.ts';
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
  const text = new CitedText(call);
  const citations = new GoogleCitations(text);
  const answer = new AnswerState({ mayBeEmpty: mayBeEmpty(call) });
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  const reasoning = new ReasoningItems();
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
    const logprobs = new ChunkLogprobs(candidate);
    for (const part of candidate?.content?.parts ?? []) {
      const fallbackId = `${chunk.responseId ?? 'call'}-${calls}`;
      for (const event of mapGooglePart(part, { answer, reasoning, fallbackId, logprobs })) {
        if (event.type === 'text') text.add(event.text);
        yield event;
      }
      if (part.functionCall !== undefined) calls += 1;
    }
    citations.take(candidate ?? {});
    finishReason = candidate?.finishReason ?? finishReason;
  }
  if (finishReason === null) throw streamCut();
  yield* citations.close();
  const { hasContent } = answer;
  yield* answer.finish({ usage, ...mapGoogleFinishReason(finishReason, { hasContent }) });
}

interface PartContext {
  readonly answer: AnswerState;
  readonly reasoning: ReasoningItems;
  readonly fallbackId: string;
  readonly logprobs: ChunkLogprobs;
}

/** A tool call comes in one part. Its id is optional, so we have a fallback. */
function* mapGooglePart(
  part: Part,
  { answer, reasoning, fallbackId, logprobs }: PartContext,
): Generator<ProviderEvent> {
  const { thoughtSignature } = part;
  const signed = { wire: 'google', value: { thoughtSignature } } as const;
  if (part.functionCall !== undefined) {
    const { id, name, args } = part.functionCall;
    reasoning.close();
    if (thoughtSignature) yield { type: 'reasoning-data', data: { ...signed, callId: id || fallbackId } };
    yield answer.startToolCall(fallbackId, id || fallbackId, name ?? '');
    yield answer.appendArguments(fallbackId, JSON.stringify(args ?? {}));
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
  // Of the text: the vendor signs its last part, or an empty one behind it.
  if (thoughtSignature && part.thought !== true) {
    const value = { text: part.text ?? '', thoughtSignature };
    yield { type: 'reasoning-data', data: { wire: 'google', value } };
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
