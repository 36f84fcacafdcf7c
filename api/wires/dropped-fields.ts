/** Which fields of a request do not reach a model of another format: the response names them. */
import { parseCandidate } from '../../contracts/candidate.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { foreignFields } from '../../engine/models/native-fields.ts';
import type { Config } from '../../platform/config/load-config.ts';

/** @returns the fields that this model does not get; null for a model that is not known yet. */
export type DroppedFields = (model: string | null) => readonly string[];

export function droppedFields({ providers }: Config, request: GenerationRequest): DroppedFields {
  const messages = Array.isArray(request.input) ? request.input : [];
  const { tools, native, output } = request;
  const input = {
    messages,
    ...(tools === undefined ? {} : { tools }),
    ...(native === undefined ? {} : { native }),
    ...(output === undefined ? {} : { output }),
  };
  return (model) => {
    const candidate = model === null ? null : parseCandidate(model);
    const wire = candidate === null ? undefined : providers[candidate.provider]?.wire;
    if (candidate === null || wire === undefined) return [];
    return foreignFields(input, wire, candidate.provider).dropped;
  };
}
