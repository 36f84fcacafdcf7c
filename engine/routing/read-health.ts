/** How a process that chooses routes learns of the providers' health. */
import type { Config } from '../../platform/config/load-config.ts';
import { routedModels } from '../../platform/config/route-schema.ts';
import { HealthSnapshot } from './health-snapshot.ts';
import { RedisGateReader } from './redis-gate-reader.ts';

/** @param onError receives why a report is missing; until the next one, the health is unknown. */
export function readHealth(
  {
    providerKeys,
    gateScopes,
    breaker,
    routes,
  }: Pick<Config, 'providerKeys' | 'gateScopes' | 'breaker' | 'routes'>,
  redis: ConstructorParameters<typeof RedisGateReader>[0]['redis'],
  onError: (error: unknown) => void,
): { readonly gate: RedisGateReader; readonly health: HealthSnapshot } {
  const gate = new RedisGateReader({
    redis,
    keys: providerKeys,
    scopes: gateScopes,
    breaker,
    routed: routedModels(routes),
  });
  return { gate, health: new HealthSnapshot(gate, onError) };
}
