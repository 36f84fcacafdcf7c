/**
 * Refusals that OpenAI sends in a stream: it begins, and then fails. Codex makes its conversation shorter only then.
 * Source: https://github.com/anomalyco/opencode/issues/8293 (what the vendor sent).
 */
import type { Response } from 'express';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { composeInput } from '../../generations/compose-input.ts';
import { generationIdFor } from '../../generations/generation-id.ts';
import { startSse } from '../../relay/sse.ts';
import type { WireRequest } from '../wire.ts';
import { encodeFrame, ResponseProjection } from './project.ts';
import type { ResponseOrigin } from './request.ts';

export const STREAMED_REFUSALS: ReadonlySet<ErrorCode> = new Set(['context_length_exceeded']);

export function isStreamedRefusal(error: unknown): error is UnbrokenError {
  return error instanceof UnbrokenError && STREAMED_REFUSALS.has(error.code);
}

interface RefusedResponse {
  readonly wire: WireRequest & { readonly origin: ResponseOrigin };
  readonly error: UnbrokenError;
}

/** For a request that was refused before it had a generation. Its response is stored nowhere. */
export async function refuseInStream(
  dependencies: ApiDependencies,
  caller: Caller,
  response: Response,
  { wire, error }: RefusedResponse,
): Promise<void> {
  const { request, origin } = wire;
  const { tenant, user } = caller;
  const generationId = generationIdFor(caller, undefined);
  const route = request.route ?? 'default';
  const input = await composeInput(dependencies, { tenant, user, generationId, route }, request);
  const { metadata = {} } = request;
  const projection = new ResponseProjection({ generationId, origin, input, metadata });
  const at = Date.now();
  const events: GenerationEvent[] = [
    { type: 'generation-start', seq: 0, at, generationId, route, user },
    {
      type: 'generation-error',
      seq: 1,
      at,
      error: error.toBody(),
      attempts: 0,
      usage: NO_USAGE,
      costMicroUsd: 0,
    },
  ];
  startSse(response, generationId);
  response.end(
    events
      .flatMap((event) => projection.push(event))
      .map(encodeFrame)
      .join(''),
  );
}
