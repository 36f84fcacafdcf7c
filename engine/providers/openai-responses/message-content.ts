/** What the message of an output contains; some servers leave its content out, or send it as a plain text. */
import type { ResponseOutputMessage } from 'openai/resources/responses/responses';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { readOpenAiLogprobs } from '../openai-logprobs.ts';

/** A part as servers send it: of text, of a refusal, or of neither. */
interface ContentPart {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly refusal?: unknown;
  readonly annotations?: unknown;
  readonly logprobs?: unknown;
}

function partsOfMessage({ content }: Pick<ResponseOutputMessage, 'content'>): readonly ContentPart[] {
  const written: unknown = content;
  if (typeof written === 'string') return [{ type: 'output_text', text: written }];
  return Array.isArray(written) ? written : [];
}

/** Parts of text, also as chat completions call them. */
function isText({ type }: ContentPart): boolean {
  return type === 'output_text' || type === 'text';
}

export function textOfPart(part: ContentPart): string {
  return isText(part) && typeof part.text === 'string' ? part.text : '';
}

export function refusalOfPart({ type, refusal }: ContentPart): string {
  return type === 'refusal' && typeof refusal === 'string' ? refusal : '';
}

export function textOfMessage(message: Pick<ResponseOutputMessage, 'content'>): string {
  return partsOfMessage(message).map(textOfPart).join('');
}

export function refusalOfMessage(message: Pick<ResponseOutputMessage, 'content'>): string {
  return partsOfMessage(message).map(refusalOfPart).join('');
}

export function logprobsOfMessage(message: ResponseOutputMessage): readonly TokenLogprob[] {
  return partsOfMessage(message)
    .filter(isText)
    .flatMap(({ logprobs }) => readOpenAiLogprobs(logprobs as never));
}

export function annotationsOfMessage(message: ResponseOutputMessage): readonly object[] {
  return partsOfMessage(message)
    .filter(isText)
    .flatMap(({ annotations }) => (Array.isArray(annotations) ? annotations : []));
}
