/** OpenAI's Responses API over HTTP. Source: the official client, resources/responses. */
import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { cancelAndWait } from '../../generations/cancel-and-wait.ts';
import { removeGeneration } from '../../generations/remove-generation.ts';
import { parseBody, parseQuery, requireJson } from '../../http/read-request.ts';
import { toGenerationFailure } from '../../relay/hold-status.ts';
import { FactsFold } from '../answer.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { type DroppedFields, droppedFields } from '../dropped-fields.ts';
import { streamToClient } from '../stream-to-client.ts';
import { setUnbrokenHeaders } from '../unbroken-headers.ts';
import { waitForEnd } from '../wait-for-answer.ts';
import { startOrResume } from '../wire.ts';
import { compactResponse } from './compact.ts';
import { beforeTrigger, compactOnTrigger } from './compaction-trigger.ts';
import { countResponseInput } from './count-tokens.ts';
import { itemsQuerySchema, pageOfItems } from './item-page.ts';
import { contextOf, findResponse } from './load-response.ts';
import { messagesBefore } from './messages-before.ts';
import { encodeFrame, ResponseProjection } from './project.ts';
import { isStreamedRefusal, refuseInStream, STREAMED_REFUSALS } from './refuse-in-stream.ts';
import { ENCRYPTED_REASONING, mapResponseCreate, responseCreateSchema } from './request.ts';
import { resolveInput } from './resolve-references.ts';
import { listInputItems } from './response-items.ts';
import { responseId } from './response-object.ts';

export function addResponsesRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/responses', async (request, response) => {
    await createResponse(dependencies, request, response);
  });
  v1.post('/responses/compact', async (request, response) => {
    await compactResponse(dependencies, request, response);
  });
  v1.post('/responses/input_tokens', async (request, response) => {
    response.setHeader('x-unbroken-estimated', 'true');
    response.json(await countResponseInput(dependencies, request, callerIn(response)));
  });
  v1.get('/responses/:id', async (request, response) => {
    const found = await findResponse(dependencies, callerIn(response), request.params.id);
    const { stream } = parseQuery(request, responseQuerySchema);
    const head = includesReasoning(request) ? headWithReasoning(found) : found;
    const isStream = stream === 'true';
    if (isStream) {
      const after = startingAfter(request);
      await streamResponse(dependencies, response, { head, after, refusalIsStatus: false });
    } else response.json(await responseNow(dependencies, head));
  });
  v1.post('/responses/:id/cancel', async (request, response) => {
    const head = await findResponse(dependencies, callerIn(response), request.params.id);
    await cancelAndWait(dependencies, head);
    response.json(await responseNow(dependencies, head));
  });
  v1.delete('/responses/:id', async (request, response) => {
    const head = await findResponse(dependencies, callerIn(response), request.params.id);
    await removeGeneration(dependencies, head);
    response.json({ id: responseId(head.generationId), object: 'response', deleted: true });
  });
  v1.get('/responses/:id/input_items', async (request, response) => {
    const head = await findResponse(dependencies, callerIn(response), request.params.id);
    const items = listInputItems(await contextOf(dependencies, head));
    response.json(pageOfItems(items, parseQuery(request, itemsQuerySchema)));
  });
}

/** As `include=` of the query says, or `include[]=`, as the official clients write a list. */
function includesReasoning({ query }: Request): boolean {
  return [query['include'], query['include[]']].flat(2).includes(ENCRYPTED_REASONING);
}

function headWithReasoning(head: LogHead): LogHead {
  return { ...head, origin: { ...Object(head.origin), includesReasoning: true } };
}

async function createResponse(
  dependencies: ApiDependencies,
  request: Request,
  response: Response,
): Promise<void> {
  requireJson(request);
  const caller = callerIn(response);
  const parsed = parseBody(request, responseCreateSchema);
  const compacted = beforeTrigger(parsed);
  if (compacted !== null) {
    await compactOnTrigger(dependencies, request, response, compacted);
    return;
  }
  const body = await resolveInput(dependencies, caller, parsed);
  const { turn, ...before } = await messagesBefore(dependencies, caller, body);
  const wire = mapResponseCreate(dependencies.config, body, before);
  const { request: mapped, origin } = wire;
  const policy = origin.background ? 'continue' : abortPolicyOf(dependencies, request);
  const isStream = body.stream === true;
  let head: LogHead;
  try {
    head = await startOrResume(dependencies, caller, { ...wire, turn }, request);
  } catch (error) {
    if (!isStream || !isStreamedRefusal(error)) throw error;
    await refuseInStream(dependencies, caller, response, { wire, error });
    return;
  }
  if (policy === 'cancel') cancelOnAbort(dependencies, response, head);
  const dropped = droppedFields(dependencies, mapped);
  if (isStream) {
    const after = startingAfter(request);
    await streamResponse(dependencies, response, { head, after, dropped, refusalIsStatus: true });
  } else if (origin.background) response.json(await responseNow(dependencies, head));
  else await sendWhole(dependencies, response, head, dropped);
}

async function sendWhole(
  dependencies: ApiDependencies,
  response: Response,
  head: LogHead,
  dropped: DroppedFields,
): Promise<void> {
  const projection = new ResponseProjection(await contextOf(dependencies, head));
  const facts = new FactsFold();
  const done = await waitForEnd(dependencies, response, head.generationId, {
    value: () => facts.value(),
    push: (event) => {
      facts.push(event);
      projection.push(event);
    },
  });
  if (done === null) return;
  setUnbrokenHeaders(response, done, dropped);
  const whole = projection.response();
  const hasOutput = whole.output.length > 0 && whole.status !== 'failed';
  if (done.end?.type === 'generation-error' && !hasOutput) {
    throw toGenerationFailure(done.end, head.generationId);
  }
  response.json(whole);
}

interface ResponseStream {
  readonly head: LogHead;
  readonly dropped?: DroppedFields | undefined;
  /** The last sequence number that the client has; -1 for none. */
  readonly after: number;
  /** Whether a refusal before the first token becomes the HTTP status. */
  readonly refusalIsStatus: boolean;
}

async function streamResponse(
  dependencies: ApiDependencies,
  response: Response,
  { head, after, dropped, refusalIsStatus }: ResponseStream,
): Promise<void> {
  const projection = new ResponseProjection(await contextOf(dependencies, head));
  const encode = (event: GenerationEvent) =>
    projection
      .push(event)
      .filter((frame) => frame.sequence_number > after)
      .map(encodeFrame)
      .join('');
  const { generationId } = head;
  // Each delta has its sequence number, so deltas must not be merged.
  await streamToClient(dependencies, response, {
    generationId,
    encode,
    coalesces: false,
    refusalIsStatus,
    streamedRefusals: STREAMED_REFUSALS,
    dropped,
  });
}

async function responseNow(dependencies: ApiDependencies, head: LogHead) {
  const [context, events] = await Promise.all([
    contextOf(dependencies, head),
    dependencies.log.readMerged(head.generationId),
  ]);
  const projection = new ResponseProjection(context);
  for (const event of events) projection.push(event);
  return projection.response();
}

function startingAfter(request: Request): number {
  const value = request.query['starting_after'];
  if (value === undefined || value === '') return -1;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new UnbrokenError('cursor_invalid', 'starting_after: expected a sequence_number.', {
    details: { param: 'starting_after' },
  });
}

/** Clients may send other fields too; those are ignored. */
export const responseQuerySchema = z.object({ stream: z.enum(['true', 'false', '']).optional() });
