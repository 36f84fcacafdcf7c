/**
 * `GET /v1/providers`: circuit and speed of the models of routes, and of those that the tenant has used. Admins also
 * see the state of the keys.
 */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ProvidersView } from '../../contracts/routing.ts';
import type { ProviderReport } from '../../engine/routing/provider-gate.ts';
import { modelsOf } from '../../platform/config/route-schema.ts';
import { callerIn, hasScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function listProviders({ config, gate }: ApiDependencies): RequestHandler {
  const usable = Object.keys(config.providers).filter((name) => config.providerKeys[name]?.[0] !== undefined);
  const routed = new Set(
    Object.values(config.routes)
      .flatMap(modelsOf)
      .map(({ provider }) => provider),
  );
  // A provider that needs no key, such as Ollama, is always configured; it is listed only when it is used.
  const isListed = ({ provider, models }: ProviderReport) =>
    models.length > 0 || routed.has(provider) || config.providerKeys[provider]?.[0]?.secret !== undefined;
  return async (_request, response) => {
    const caller = callerIn(response);
    const isAdmin = hasScope(caller, 'admin');
    const reports = await Promise.all(usable.map((name) => gate.report(name, caller.tenant))).catch(
      (error: unknown) => {
        throw new UnbrokenError('service_unavailable', 'Redis does not answer.', { cause: error });
      },
    );
    const view: ProvidersView = {
      providers: reports.filter(isListed).map(({ provider, keys, models }) => ({
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
