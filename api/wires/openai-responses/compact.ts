/**
 * `POST /v1/responses/compact`: a generation summarises the conversation, and the response has what the client sends in
 * its place: its user messages, and one item that stands for the rest. Source: the official client,
 * `responses.compact`.
 */
import type { Request, Response } from 'express';
import type { CompactedResponse, ResponseOutputItem } from 'openai/resources/responses/responses';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationRequest } from '../../../contracts/generation.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { isInstruction, withCompactions } from '../../../engine/compaction/compacted-context.ts';
import { openCompactions } from '../../../engine/compaction/compaction-seals.ts';
import {
  calledTools,
  openCallStart,
  summaryRequest,
  summaryWords,
} from '../../../engine/compaction/plan-compaction.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { type Answer, refusalText } from '../answer.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { type DroppedFields, droppedFields } from '../dropped-fields.ts';
import { waitForWholeAnswer } from '../wait-for-answer.ts';
import { startOrResume, wireId } from '../wire.ts';
import { messagesBefore } from './messages-before.ts';
import { mapResponseCreate, type ResponseCreate, responseCreateSchema } from './request.ts';
import { resolveInput } from './resolve-references.ts';
import { compactionItem, toResponseItems } from './response-items.ts';
import { responseId, toResponseUsage } from './response-object.ts';

/** Of the conversations that agents compact; a summary is as long as it needs to be up to this. */
const SUMMARY_OF_TOKENS = 12_000;

/** Agents also send what they send with every request: tools, their settings, the format of answers. */
export const responseCompactSchema = z.looseObject({
  ...responseCreateSchema.shape,
  input: responseCreateSchema.shape.input.nullish(),
  conversation: z.null({ error: 'conversation: send its items as input' }).optional(),
});

export async function compactResponse(
  dependencies: ApiDependencies,
  request: Request,
  response: Response,
): Promise<void> {
  requireJson(request);
  const { input: own, ...fields } = parseBody(request, responseCompactSchema);
  const sent = { ...fields, stream: false, ...(own == null ? {} : { input: own }) };
  const summary = await startSummary(dependencies, request, callerIn(response), sent);
  const { head, messages, older, dropped } = summary;
  if (abortPolicyOf(dependencies, request) === 'cancel') cancelOnAbort(dependencies, response, head);
  const answer = await waitForWholeAnswer(dependencies, response, head.generationId, dropped);
  if (answer === null) return;
  const sealed = await sealSummary(dependencies, summary, answer);
  const compacted: CompactedResponse = {
    id: responseId(head.generationId),
    object: 'response.compaction',
    created_at: Math.floor(answer.startedAtMs / 1_000),
    output: [
      ...userItems(messages, older, head.generationId),
      compactionItem(wireId('cmp_', head.generationId), sealed),
    ],
    usage: toResponseUsage(answer.end?.usage ?? NO_USAGE),
  };
  response.json(compacted);
}

/** A generation that writes the summary of a conversation. */
interface Summary {
  readonly head: LogHead;
  readonly tenant: string;
  readonly messages: readonly Message[];
  /** What is summarised, with what earlier compactions stand for. */
  readonly older: readonly Message[];
  /** The calls at the end whose results have not come. */
  readonly tail: readonly Message[];
  readonly dropped: DroppedFields;
}

/** @throws invalid_request without a conversation */
export async function startSummary(
  dependencies: ApiDependencies,
  request: Request,
  caller: Caller,
  sent: ResponseCreate,
): Promise<Summary> {
  const body = await resolveInput(dependencies, caller, sent);
  const before = await messagesBefore(dependencies, caller, body);
  const { request: mapped, origin } = mapResponseCreate(dependencies.config, body, before);
  const messages = Array.isArray(mapped.input) ? mapped.input : [];
  if (messages.length === 0) {
    throw new UnbrokenError('invalid_request', 'input: there is no conversation to compact.', {
      details: { param: 'input' },
    });
  }
  const opened = await openCompactions(dependencies.compactions, caller.tenant, messages);
  // A compaction that cannot be opened is refused with the reason when the generation is submitted.
  const from = openCallStart(messages);
  const wire = { request: summaryOf(mapped, messages.slice(0, from)), origin };
  const head = await startOrResume(dependencies, caller, wire, request);
  return {
    head,
    tenant: caller.tenant,
    messages,
    older: withCompactions(messages.slice(0, from), opened ?? new Map()),
    tail: messages.slice(from),
    dropped: droppedFields(dependencies, wire.request),
  };
}

/** @throws content_filtered, provider_empty */
export async function sealSummary(
  { compactions }: Pick<ApiDependencies, 'compactions'>,
  { tenant, older, tail }: Summary,
  { end, text }: Pick<Answer, 'end' | 'text'>,
): Promise<string> {
  if (refusalText(end) !== null) {
    throw new UnbrokenError('content_filtered', 'The model declined to summarise the conversation.');
  }
  const summary = text.trim();
  if (summary === '' || end === null) {
    throw new UnbrokenError('provider_empty', 'The model has not written a summary; send the request again.');
  }
  return compactions.seal(tenant, {
    summary,
    lead: older.filter(isInstruction),
    tail,
    keepsUserMessages: true,
  });
}

/** The request for the summary: without what shapes an answer, and with the tools, because their calls are in it. */
function summaryOf(
  { model, route, system, reasoning, native, user, metadata, tools = [] }: GenerationRequest,
  messages: readonly Message[],
): GenerationRequest {
  const known = tools.length > 0 ? tools : calledTools(messages);
  return {
    model,
    route,
    system,
    reasoning,
    native,
    user,
    metadata,
    input: [...messages, summaryRequest(summaryWords(SUMMARY_OF_TOKENS))],
    ...(known.length === 0 ? {} : { tools: [...known], toolChoice: 'none' }),
    cache: 'off',
  };
}

/** The user messages that the client has sent; what an earlier compaction stands for is in the new one. */
function userItems(
  sent: readonly Message[],
  older: readonly Message[],
  generationId: string,
): ResponseOutputItem[] {
  const own = new Set(sent);
  return older
    .filter((message) => message.role === 'user' && own.has(message))
    .flatMap((message, index) => toResponseItems(message, wireId(`msg_in${index}_`, generationId)))
    .filter(({ type }) => type === 'message') as unknown as ResponseOutputItem[];
}
