/** The shape of `routes` in unbroken.config.yaml; docs/routing.md is the prose of this file. */
import { z } from 'zod';
import { taskSchema } from '../../contracts/generation.ts';
import { DEFAULTS } from '../../contracts/limits.ts';

const MOST_CANDIDATES = 16;

const modelName = z
  .string()
  .regex(/^[a-z0-9-]+\/\S+$/, 'expected provider/model, such as openai/gpt-4o-mini')
  .describe('provider/model, such as openai/gpt-4o-mini');

/** A model of a route. `weight` counts only if the order is `weighted`. */
const routeCandidateSchema = z
  .union(
    [modelName, z.strictObject({ model: modelName, weight: z.number().positive().max(1_000).default(1) })],
    { error: 'expected provider/model, or { model: provider/model, weight: 2 }' },
  )
  .transform((input) => {
    const { model: name, weight } = typeof input === 'string' ? { model: input, weight: 1 } : input;
    const slash = name.indexOf('/');
    return { provider: name.slice(0, slash), model: name.slice(slash + 1), weight };
  });
export type RouteCandidate = z.output<typeof routeCandidateSchema>;

const candidates = z.array(routeCandidateSchema).min(1).max(MOST_CANDIDATES);

const routeOrders = ['listed', 'weighted', 'cost', 'latency'] as const;

const settingsSchema = z.strictObject({
  order: z
    .enum(routeOrders)
    .default('listed')
    .describe(
      'Which model is called first: as listed, random by weight, the cheapest, or the fastest of the last minutes.',
    ),
  tasks: z
    .record(taskSchema, candidates)
    .default({})
    .describe('Models to try first for one kind of task: simple, complex, code, or your own name.'),
  onContextLength: z
    .array(routeCandidateSchema)
    .max(MOST_CANDIDATES)
    .default([])
    .describe('Models with a larger window, called only after an input was too long.'),
  onContentPolicy: z
    .enum(['tell', 'fall-back'])
    .default('tell')
    .describe('After a refusal by content policy: tell ends the generation, fall-back calls the next model.'),
  whenFull: z
    .enum(['next', 'wait'])
    .default('next')
    .describe(
      'If no key of a model has capacity: call the next model, or wait. If no model has any, it always waits.',
    ),
  maxWaitMs: z.int().nonnegative().default(DEFAULTS.roomWaitMs).describe('Longest wait for capacity.'),
  cachedAnswer: z
    .boolean()
    .default(true)
    .describe('Whether a stored answer of any age, marked as degraded, may stand in when all have failed.'),
});

const longRouteSchema = settingsSchema.extend({
  candidates: candidates.describe('The models that may answer.'),
});
export type Route = z.output<typeof longRouteSchema>;

/** A list of models is a route that tries them in this order. */
export const routeSchema = z
  .union([candidates, longRouteSchema], {
    error: (issue) =>
      Array.isArray(issue.input)
        ? 'expected a list of 1 to 16 models as provider/model'
        : 'expected a list of models, or { candidates: [...] } with the settings of docs/routing.md',
  })
  .transform(
    (input): Route => (Array.isArray(input) ? { ...settingsSchema.parse({}), candidates: input } : input),
  );

/** A built-in route, whose models are tried in this order. */
export function routeOf(models: readonly string[], tasks: Readonly<Record<string, string[]>> = {}): Route {
  return { ...settingsSchema.parse({ tasks }), candidates: candidates.parse(models) };
}

/** Every model that a route can reach. */
export function modelsOf(route: Route): readonly RouteCandidate[] {
  return [...Object.values(route.tasks).flat(), ...route.candidates, ...route.onContextLength];
}

/** The models that the routes name, by provider. */
export function routedModels(routes: Readonly<Record<string, Route>>): Readonly<Record<string, string[]>> {
  const models = Object.values(routes).flatMap(modelsOf);
  return Object.fromEntries(
    Object.entries(Object.groupBy(models, ({ provider }) => provider)).map(([provider, found = []]) => [
      provider,
      [...new Set(found.map(({ model }) => model))],
    ]),
  );
}
