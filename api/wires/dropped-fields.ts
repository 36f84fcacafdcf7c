/** Which fields of a request do not reach a model: the response names them. */
import { parseCandidate } from '../../contracts/candidate.ts';
import type { GenerationInput, GenerationRequest } from '../../contracts/generation.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { settingsOf } from '../generations/compose-input.ts';

/** @returns the fields that this model does not get; none for a model that is not known yet. */
export type DroppedFields = (model: string | null) => readonly string[];

export function droppedFields(
  { config, routes }: Pick<ApiDependencies, 'config' | 'routes'>,
  request: GenerationRequest,
): DroppedFields {
  const input: GenerationInput = {
    ...settingsOf(request),
    messages: Array.isArray(request.input) ? request.input : [],
    maxOutputTokens: request.maxOutputTokens ?? config.limits.defaultMaxOutputTokens,
    capFrom: request.maxOutputTokens === undefined ? 'default' : 'request',
  };
  return (model) => {
    const candidate = model === null ? null : parseCandidate(model);
    return candidate === null ? [] : routes.droppedBy(candidate, input);
  };
}
