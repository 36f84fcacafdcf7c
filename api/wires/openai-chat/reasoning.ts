/**
 * Fields that vendors have added to chat completions: what was shown of the model's thoughts, and what only its vendor
 * can read. Sources: DeepSeek, "Thinking mode"; OpenRouter, "Preserving reasoning"; Gemini API, "OpenAI compatibility".
 */
import type { Answer } from '../answer.ts';

export interface ReasoningFields {
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly object[];
}

export function sealedDetail(data: string, index: number): object {
  return { type: 'reasoning.encrypted', data, id: null, format: 'unbroken-v1', index };
}

/** A field of a tool call. */
export function sealOfCall(sealed: string): object {
  return { extra_content: { google: { thought_signature: sealed } } };
}

/** The fields of a whole message, and of its tool calls by their ids. */
export function reasoningOf({ reasoning, parts }: Answer): {
  readonly fields: ReasoningFields;
  readonly ofCalls: ReadonlyMap<string, object>;
} {
  const details: object[] = [];
  const ofCalls = new Map<string, object>();
  for (const part of parts) {
    if (part.type !== 'reasoning' || part.sealed === undefined) continue;
    if (part.callId === undefined) details.push(sealedDetail(part.sealed, details.length));
    else ofCalls.set(part.callId, sealOfCall(part.sealed));
  }
  const fields = {
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
  };
  return { fields, ofCalls };
}
