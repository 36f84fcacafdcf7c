/** `GET /v1/providers`: each model's circuit and speed as all workers saw it; the state of keys for admins. */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { circuitStates } from '../../routing/route-facts.ts';
import { callerIn } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';

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
            retryAtMs: z.int().nullable().describe('When one call tries it again'),
            calls: z.int().describe('In the window of the circuit breaker'),
            badCalls: z.int(),
            firstTokenMs: z.number().nullable(),
            tokensPerSecond: z.number().nullable(),
          }),
        )
        .describe('Models that were asked lately'),
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

export function listProviders({ config, gate }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    const isAdmin = callerIn(response).scopes.includes('admin');
    const usable = Object.keys(config.providers).filter(
      (name) => config.providerKeys[name]?.[0] !== undefined,
    );
    const reports = await Promise.all(usable.map((name) => gate.report(name))).catch((error: unknown) => {
      throw new UnbrokenError('service_unavailable', 'Redis does not answer.', { cause: error });
    });
    const view: ProvidersView = {
      providers: reports.map(({ provider, keys, models }) => ({
        provider,
        wire: config.providers[provider]?.wire ?? '',
        available: keys.some(({ state }) => state !== 'refused'),
        models: models.map(({ hasKey: _hasKey, ...model }) => model),
        ...(isAdmin ? { keys: keys.map((key) => ({ ...key })) } : {}),
      })),
    };
    response.json(view);
  };
}
