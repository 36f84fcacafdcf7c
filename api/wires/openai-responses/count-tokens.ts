/** `POST /v1/responses/input_tokens`. Source: the official client, `responses.inputTokens.count`. */
import type { Request } from 'express';
import type { InputTokenCountResponse } from 'openai/resources/responses/input-tokens';
import { withCompactions } from '../../../engine/compaction/compacted-context.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { openOwnCompactions } from '../../generations/fit-context.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { countInput } from '../count-input.ts';
import { responseCompactSchema } from './compact.ts';
import { messagesBefore } from './messages-before.ts';
import { mapResponseCreate } from './request.ts';
import { resolveInput } from './resolve-references.ts';

export async function countResponseInput(
  dependencies: ApiDependencies,
  request: Request,
  caller: Caller,
): Promise<InputTokenCountResponse> {
  requireJson(request);
  const { input: own, ...fields } = parseBody(request, responseCompactSchema);
  const body = await resolveInput(dependencies, caller, own == null ? fields : { ...fields, input: own });
  const before = await messagesBefore(dependencies, caller, body);
  const { input, system, tools } = mapResponseCreate(dependencies.config, body, before).request;
  const written = Array.isArray(input) ? input : [];
  const messages = withCompactions(written, await openOwnCompactions(dependencies, caller.tenant, written));
  const tokens = await countInput(dependencies.countTexts, { system, messages, tools });
  return { object: 'response.input_tokens', input_tokens: tokens };
}
