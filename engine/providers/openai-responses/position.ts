/** How far a response has been passed on: makes our events with the cursor that covers them. */
import { malformed } from '../answer-state.ts';
import type { CursorToolCall, ProviderCursor, ProviderEvent } from '../provider.ts';

export interface ResponsePosition {
  accepted(responseId: string, sequenceNumber: number): ProviderEvent;
  text(text: string, sequenceNumber?: number): ProviderEvent;
  reasoning(text: string, sequenceNumber?: number): ProviderEvent;
  call(outputIndex: number, id: string, name: string, sequenceNumber?: number): ProviderEvent;
  more(outputIndex: number, piece: string, sequenceNumber?: number): ProviderEvent;
  cursor(): ProviderCursor;
  hasCalls(): boolean;
  hasContent(): boolean;
}

/**
 * @param from where the response was taken up again; null for a new one.
 * @param isStored whether the response can be taken up again; a cursor to one that is not would lead nowhere.
 */
export function createResponsePosition(from: ProviderCursor | null, isStored = true): ResponsePosition {
  let cursor: ProviderCursor = from ?? { responseId: '', sequenceNumber: -1, textChars: 0 };
  const calls = (): readonly CursorToolCall[] => cursor.toolCalls ?? [];
  /** Without a number (a poll) the stream's place stays as it was. */
  const move = (change: Partial<ProviderCursor>, sequenceNumber = cursor.sequenceNumber) => {
    // A cursor is kept, and the stream is taken up again by it: it must lead somewhere.
    if (!Number.isSafeInteger(sequenceNumber)) throw malformed('an event whose number is none');
    cursor = { ...cursor, ...change, sequenceNumber };
    return isStored ? { cursor } : {};
  };
  return {
    accepted(responseId, sequenceNumber) {
      if (isStored && typeof responseId !== 'string') throw malformed('a response without an id');
      return { type: 'accepted', ...move({ responseId }, sequenceNumber) };
    },
    text: (text, sequenceNumber) => ({
      type: 'text',
      text,
      ...move({ textChars: cursor.textChars + text.length }, sequenceNumber),
    }),
    reasoning: (text, sequenceNumber) => ({
      type: 'reasoning',
      text,
      ...move({ reasoningChars: (cursor.reasoningChars ?? 0) + text.length }, sequenceNumber),
    }),
    call(outputIndex, id, name, sequenceNumber) {
      if (![id, name].every((one) => typeof one === 'string' && one !== ''))
        throw malformed('a tool call without its id and name');
      if (!Number.isSafeInteger(outputIndex)) throw malformed('a tool call without its place');
      const index = calls().length;
      const toolCalls = [...calls(), { outputIndex, id, name, argumentsChars: 0 }];
      return { type: 'tool-call', index, id, name, arguments: '', ...move({ toolCalls }, sequenceNumber) };
    },
    more(outputIndex, piece, sequenceNumber) {
      const index = calls().findIndex((call) => call.outputIndex === outputIndex);
      const call = calls()[index];
      if (call === undefined) throw malformed('arguments of no tool call');
      const grown = { ...call, argumentsChars: call.argumentsChars + piece.length };
      const { id, name } = call;
      const toolCalls = calls().with(index, grown);
      return { type: 'tool-call', index, id, name, arguments: piece, ...move({ toolCalls }, sequenceNumber) };
    },
    cursor: () => cursor,
    hasCalls: () => calls().length > 0,
    hasContent: () => cursor.textChars > 0 || calls().length > 0,
  };
}
