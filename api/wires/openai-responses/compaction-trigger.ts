/**
 * `POST /v1/responses` whose last item is a `compaction_trigger`: the output of the response is one item that stands
 * for the conversation before it, as Codex compacts its sessions. A generation writes the summary, which is not shown.
 * Source: openai/codex, `compact_remote_v2`.
 */
import type { Request, Response } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { foldAnswer } from '../answer.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { streamToClient } from '../stream-to-client.ts';
import { waitForWholeAnswer } from '../wait-for-answer.ts';
import { sealSummary, startSummary } from './compact.ts';
import { isTrigger } from './items.ts';
import { contextOf } from './load-response.ts';
import { encodeFrame, type ResponseFrame, ResponseProjection } from './project.ts';
import type { ResponseCreate } from './request.ts';
import type { ResponseContext, WireResponse } from './response-object.ts';

/** The request for the compaction; null for one without a trigger at its end. */
export function beforeTrigger(body: ResponseCreate): ResponseCreate | null {
  const { input, ...fields } = body;
  const last = Array.isArray(input) ? input.at(-1) : undefined;
  if (last === undefined || !Array.isArray(input) || !isTrigger(last)) return null;
  const rest = input.slice(0, -1);
  return rest.length === 0 ? fields : { ...fields, input: rest };
}

export async function compactOnTrigger(
  dependencies: ApiDependencies,
  request: Request,
  response: Response,
  body: ResponseCreate,
): Promise<void> {
  if (body.background === true) {
    throw new UnbrokenError('invalid_request', 'background: a compaction_trigger is answered at once.', {
      details: { param: 'background' },
    });
  }
  const summary = await startSummary(dependencies, request, callerIn(response), body);
  const { head, dropped } = summary;
  const { generationId } = head;
  if (abortPolicyOf(dependencies, request) === 'cancel') cancelOnAbort(dependencies, response, head);
  const projection = new CompactionProjection(await contextOf(dependencies, head));
  if (body.stream !== true) {
    const answer = await waitForWholeAnswer(dependencies, response, generationId, dropped);
    if (answer === null) return;
    projection.outcome = { sealed: await sealSummary(dependencies, summary, answer) };
    for (const event of await dependencies.log.readMerged(generationId)) projection.push(event);
    response.json(projection.response());
    return;
  }
  await streamToClient(dependencies, response, {
    generationId,
    encode: (event) => projection.push(event).map(encodeFrame).join(''),
    coalesces: false,
    dropped,
    refusalIsStatus: true,
    afterEnd: async () => {
      const answer = foldAnswer(await dependencies.log.readMerged(generationId));
      if (answer.end?.type === 'generation-end')
        projection.outcome = await outcomeOf(sealSummary(dependencies, summary, answer));
    },
  });
}

type Outcome = { readonly sealed: string } | { readonly error: UnbrokenError };

/** The head of the stream may be out: then an error is its end. */
async function outcomeOf(sealing: Promise<string>): Promise<Outcome> {
  try {
    return { sealed: await sealing };
  } catch (error) {
    if (error instanceof UnbrokenError) return { error };
    throw error;
  }
}

/** The log of a summary as a response that has the compaction in place of the text. */
export class CompactionProjection {
  readonly #projection: ResponseProjection;
  /** Of the summary; set before the end of the log is pushed. */
  outcome: Outcome | null = null;

  constructor(context: ResponseContext) {
    this.#projection = new ResponseProjection(context);
  }

  response(): WireResponse {
    return this.#projection.response();
  }

  push(event: GenerationEvent): readonly ResponseFrame[] {
    switch (event.type) {
      case 'generation-start':
      case 'provider-start':
      case 'generation-error':
      case 'generation-cancel':
        return this.#projection.push(event);
      case 'generation-end':
        return this.#end(event);
      default:
        return [];
    }
  }

  #end(event: Extract<GenerationEvent, { type: 'generation-end' }>): readonly ResponseFrame[] {
    const { seq, at, usage, costMicroUsd, attempts } = event;
    const facts = { seq, at, usage, costMicroUsd, attempts };
    const { outcome } = this;
    if (outcome !== null && 'error' in outcome) {
      return this.#projection.push({ type: 'generation-error', error: outcome.error.toBody(), ...facts });
    }
    const { generationId } = this.#projection;
    const sealed = outcome?.sealed ?? '';
    return [
      ...this.#projection.push({ type: 'compaction', generationId, sealed, seq, at }),
      ...this.#projection.push({ ...event, finishReason: 'stop' }),
    ];
  }
}
