/** Filters a list of models, for the API and the CLI. */
import type { ModelCapabilities, ModelView } from '../../contracts/model.ts';

interface ModelFilter {
  readonly provider?: string | undefined;
  /** Part of the name. */
  readonly q?: string | undefined;
  readonly available?: boolean | undefined;
  /** Abilities that the model must be known to have (true) or not to have (false). */
  readonly can?: Partial<Readonly<Record<keyof ModelCapabilities, boolean>>> | undefined;
}

export function selectModels(models: readonly ModelView[], filter: ModelFilter): ModelView[] {
  const { provider, q, available, can = {} } = filter;
  const wanted = Object.entries(can) as [keyof ModelCapabilities, boolean][];
  return models.filter(
    (model) =>
      (provider === undefined || model.owned_by === provider) &&
      (q === undefined || model.id.toLowerCase().includes(q.toLowerCase())) &&
      (available === undefined || model.available === available) &&
      wanted.every(([ability, value]) => model.capabilities[ability] === value),
  );
}
