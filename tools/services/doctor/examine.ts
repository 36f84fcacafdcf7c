/** Looks at every service, version and setting that Unbroken needs, and says what to do. It leaves nothing changed. */
import { ConfigError, loadConfig } from '../../../platform/config/load-config.ts';
import { checkDisk, checkNode, checkPort, checkProxy } from './check-machine.ts';
import { checkModels } from './check-models.ts';
import { checkObjectStore } from './check-object-store.ts';
import { checkPrices } from './check-prices.ts';
import { checkProviders } from './check-providers.ts';
import { checkQdrant } from './check-qdrant.ts';
import { checkRedis } from './check-redis.ts';
import { checkTemporal } from './check-temporal.ts';
import { checkTls } from './check-tls.ts';
import { error, type Finding, ok } from './finding.ts';

export async function examine(environment: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const node = checkNode(process.version);
  let config: ReturnType<typeof loadConfig>;
  try {
    config = loadConfig(environment);
  } catch (problem) {
    if (!(problem instanceof ConfigError)) throw problem;
    return [
      node,
      error('config', problem.message, 'Correct it, then run this again: nothing else was checked.'),
    ];
  }
  const services = await Promise.all([
    checkTls(config),
    checkTemporal(config),
    checkRedis(config),
    checkQdrant(config),
    checkObjectStore(config),
    checkPort(config).then((finding) => [finding]),
  ]);
  const local = [node, ok('config', 'valid'), checkDisk(config), ...checkProxy(environment), checkModels()];
  return [...local, ...services.flat(), ...checkProviders(config), ...checkPrices(config)];
}
