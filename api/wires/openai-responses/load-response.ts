/** Loads a stored response: what its projection needs besides the log, and the conversation that it ends. */
import type { ResponseOutputItem } from 'openai/resources/responses/responses';
import { compactionsIn } from '../../../contracts/compaction.ts';
import { functionTools } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { isAdditionalTool } from '../../../contracts/responses-tools.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { findGeneration } from '../../generations/find-generation.ts';
import { readInTurn } from '../../generations/large-reads.ts';
import { type Item, mapInputItems } from './items.ts';
import { ResponseProjection } from './project.ts';
import type { ResponseHistory, ResponseOrigin } from './request.ts';
import {
  generationIdOf,
  type ResponseContext,
  responseId,
  withReasoningIncluded,
} from './response-object.ts';

/** What reads stored responses. */
type StoredResponses = Pick<ApiDependencies, 'log' | 'runs'>;

/**
 * Finds a response that the caller may see. A response with `store: false` is found only if `mayUse` says so: the
 * WebSocket that created it may use it.
 */
export async function findResponse(
  dependencies: StoredResponses,
  caller: Caller,
  id: string,
  mayUse?: (generationId: string) => boolean,
): Promise<LogHead> {
  const generationId = generationIdOf(id);
  if (generationId === null) throw notFound(id);
  return findGeneration(dependencies, caller, generationId, mayUse).catch((error: unknown) => {
    throw error instanceof UnbrokenError && error.code === 'not_found' ? notFound(id) : error;
  });
}

function notFound(id: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no stored response ${id}.`);
}

export async function contextOf(
  { log }: Pick<ApiDependencies, 'log'>,
  head: LogHead,
): Promise<ResponseContext> {
  const input = await readInTurn(head.tenant, head.inputBytes ?? 0, () => log.readInput(head.generationId));
  if (input === null) {
    throw new UnbrokenError('cursor_expired', `${responseId(head.generationId)} is past its retention.`);
  }
  const { generationId, metadata } = head;
  return { generationId, metadata, input, origin: responseOriginOf(head) ?? originOfOtherFormat(head) };
}

/** What this format has stored of the request; null for a generation of another format. */
export function responseOriginOf({ origin }: LogHead): ResponseOrigin | null {
  const isOurs =
    typeof origin === 'object' &&
    origin !== null &&
    'format' in origin &&
    origin.format === 'openai-responses';
  return isOurs ? (origin as ResponseOrigin) : null;
}

/** For a generation that was requested in another format: it can be read as a response, too. */
function originOfOtherFormat({ route }: LogHead): ResponseOrigin {
  return {
    format: 'openai-responses',
    model: `unbroken/${route}`,
    store: true,
    background: false,
    previousResponseId: null,
    ownFrom: 0,
    instructionsChars: 0,
    textFormat: 'text',
    parallelToolCalls: true,
    user: null,
  };
}

/** All messages up to the answer of this response, which is included, and the tools among them. */
export async function conversationAfter(
  dependencies: StoredResponses,
  caller: Caller,
  previousId: string,
  mayUse?: (generationId: string) => boolean,
): Promise<ResponseHistory> {
  const findContext = async () => {
    const head = await findResponse(dependencies, caller, previousId, mayUse);
    return { head, found: await contextOf(dependencies, head) };
  };
  const { head, found } = await findContext().catch((error: unknown) => {
    if (!(error instanceof UnbrokenError)) throw error;
    const details = { param: 'previous_response_id' };
    // To a client it is all one why the response is gone: it sends the whole conversation again.
    const isGone = error.code === 'not_found' || error.code === 'cursor_expired';
    if (!isGone) throw new UnbrokenError(error.code, error.message, { details });
    throw new UnbrokenError('not_found', `Previous response with id '${previousId}' not found.`, { details });
  });
  const context = withReasoningIncluded(found);
  const projection = new ResponseProjection(context);
  for (const event of await dependencies.log.readMerged(head.generationId)) projection.push(event);
  const { status, output } = projection.response();
  // One that a cap or a filter has cut is `incomplete`, and has what came before the cut.
  if (status !== 'completed' && status !== 'incomplete') {
    throw new UnbrokenError(
      'invalid_request',
      `${previousId} is ${head.status}; it has no answer to continue from.`,
      { details: { param: 'previous_response_id' } },
    );
  }
  // As a client would send it back: with its phases, its refusal and what only this format has.
  const answer = mapInputItems(output.map(toItem));
  // Its compaction stands for all that comes before it.
  const before = compactionsIn(answer).length > 0 ? [] : context.input.messages;
  const messages = [...before, ...answer];
  return { messages, tools: functionTools(context.input.tools).filter(isAdditionalTool) };
}

function toItem(item: ResponseOutputItem): Item {
  return { ...item } as Item;
}
