/** What the API shows of routes and providers: `POST /v1/routes/explain` and `GET /v1/providers`. */
import { z } from 'zod';

const circuitStates = ['closed', 'open', 'half-open'] as const;
export type CircuitState = (typeof circuitStates)[number];

export const explanationSchema = z.object({
  route: z.string(),
  task: z
    .object({
      task: z.string(),
      source: z.enum(['caller', 'classifier']),
      because: z.string(),
    })
    .nullable()
    .describe('null: the route has no models for tasks'),
  inputTokens: z.int().describe('At most.'),
  maxOutputTokens: z.int(),
  models: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      place: z.int().nullable().describe('1 is tried first; null: not tried'),
      why: z.string(),
      maxCostMicroUsd: z.int().nullable().describe('Upper bound of its cost; null: no price is known'),
      contextTokens: z.int().nullable(),
      firstTokenMs: z.number().nullable().describe('As measured by all workers lately'),
      tokensPerSecond: z.number().nullable(),
      circuit: z.enum(circuitStates),
    }),
  ),
  onContextLength: z.array(z.string()).describe('Tried only after an input was too long'),
  onContentPolicy: z.enum(['tell', 'fall-back']),
  whenFull: z.enum(['next', 'wait']),
  cachedAnswer: z.boolean(),
});
export type RouteExplanation = z.infer<typeof explanationSchema>;

export const providersSchema = z.object({
  providers: z.array(
    z.object({
      provider: z.string(),
      wire: z.string(),
      available: z.boolean().describe('Whether a key is set and not refused'),
      models: z
        .array(
          z.object({
            model: z.string(),
            circuit: z.enum(circuitStates),
            because: z.enum(['errors', 'slow']).nullable().describe('Why the circuit opened'),
            sinceMs: z.int().nullable(),
            retryAtMs: z.int().nullable().describe('When one call probes it'),
            calls: z.int().describe('In the window of the circuit breaker'),
            badCalls: z.int(),
            firstTokenMs: z.number().nullable(),
            tokensPerSecond: z.number().nullable(),
          }),
        )
        .describe('Models that were called lately'),
      keys: z
        .array(
          z.object({
            id: z.string().describe('The variable of the key, and a mark of its value'),
            state: z.enum(['ready', 'resting', 'refused']),
            untilMs: z.int().nullable(),
            refusedBy: z.int().nullable().describe('The status by which the provider refused it'),
            usedRequests: z.int(),
            usedTokens: z.int(),
            limitRequests: z.int().nullable(),
            limitTokens: z.int().nullable(),
            windowMs: z.int(),
          }),
        )
        .optional()
        .describe('Only for keys with the scope admin'),
    }),
  ),
});
export type ProvidersView = z.infer<typeof providersSchema>;
