/** Lines of `/v1/responses`. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseWith } from '../http/read-request.ts';
import { contextOf, conversationAfter } from '../wires/openai-responses/load-response.ts';
import { ResponseProjection } from '../wires/openai-responses/project.ts';
import { mapResponseCreate, responseCreateSchema } from '../wires/openai-responses/request.ts';
import { type ReferenceDependencies, resolveInput } from '../wires/openai-responses/resolve-references.ts';
import type { WireRequest } from '../wires/wire.ts';

/** @throws invalid_request for what needs the lines of a batch to be in an order */
export async function mapResponseLine(
  dependencies: ReferenceDependencies,
  caller: Caller,
  line: unknown,
): Promise<WireRequest> {
  const parsed = parseWith(responseCreateSchema, line);
  for (const field of ['conversation', 'background'] as const) {
    if (parsed[field] === null || parsed[field] === undefined || parsed[field] === false) continue;
    const message = `${field}: a line of a batch cannot have it; its lines run in no order, and in the background.`;
    throw new UnbrokenError('invalid_request', message, { details: { param: field } });
  }
  const body = await resolveInput(dependencies, caller, parsed);
  const previous = body.previous_response_id ?? null;
  const before =
    previous === null ? { messages: [], tools: [] } : await conversationAfter(dependencies, caller, previous);
  return mapResponseCreate(dependencies.config, body, before);
}

/** The response object of a generation that has ended. */
export async function answerOfResponse(
  dependencies: Pick<ApiDependencies, 'log'>,
  generationId: string,
): Promise<object> {
  const { log } = dependencies;
  const head = await log.head(generationId);
  if (head === null) throw new UnbrokenError('not_found', 'The answer to this line was deleted.');
  const projection = new ResponseProjection(await contextOf(dependencies, head));
  for (const event of await log.readMerged(generationId)) projection.push(event);
  return projection.response();
}
