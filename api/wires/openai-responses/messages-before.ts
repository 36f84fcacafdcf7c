/** What a response continues from: a stored conversation, an earlier response, or nothing. */
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import type { ReservedTurn } from '../../generations/submit-generation.ts';
import { openTurn } from '../openai-conversations/turn.ts';
import { conversationAfter } from './load-response.ts';
import { conversationIdOf, type ResponseCreate, type ResponseHistory } from './request.ts';

interface Continuation extends ResponseHistory {
  readonly turn?: ReservedTurn;
}

/** @param mayUse as in `findResponse`. */
export async function messagesBefore(
  dependencies: ApiDependencies,
  caller: Caller,
  body: ResponseCreate,
  mayUse?: (generationId: string) => boolean,
): Promise<Continuation> {
  const conversationId = conversationIdOf(body);
  if (conversationId !== null) return openTurn(dependencies, caller, conversationId);
  const previous = body.previous_response_id ?? null;
  if (previous === null) return { messages: [], tools: [] };
  return conversationAfter(dependencies, caller, previous, mayUse);
}
