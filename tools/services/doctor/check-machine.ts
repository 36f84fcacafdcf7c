/** Checks this machine: the version of Node, free disk space, and the port of the API. */
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../../platform/config/load-config.ts';
import { unusedProxy } from '../../../platform/config/proxy-environment.ts';
import { onDisk, START_COMMAND } from '../../../platform/on-disk.ts';
import { isPortFree } from '../ports.ts';
import { ANSWER_WITHIN_MS, error, type Finding, isAtLeast, ok, warning, wordsOf } from './finding.ts';

const LEAST_NODE = '22.19';
const LEAST_FREE_BYTES = 1_073_741_824;

/** @param version as process.version has it. */
export function checkNode(version: string): Finding {
  return isAtLeast(version, LEAST_NODE)
    ? ok('node', version)
    : error('node', version, `Use Node ${LEAST_NODE} or later; npm install installs the pinned one.`);
}

export function checkDisk({ dataDir }: Pick<Config, 'dataDir'>): Finding {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const found = `${(free / LEAST_FREE_BYTES).toFixed(1)} GiB free at ${folder}`;
    return free < LEAST_FREE_BYTES
      ? warning('disk', found, 'Free some, or set UNBROKEN_DATA_DIR.')
      : ok('disk', found);
  } catch (problem) {
    return warning('disk', wordsOf(problem), 'Set UNBROKEN_DATA_DIR to a folder that can be read.');
  }
}

/** Most programs follow these variables without a switch. */
export function checkProxy(environment: Readonly<Record<string, string | undefined>>): Finding[] {
  const variable = unusedProxy(environment);
  if (variable === undefined) return [];
  const fix = 'Set NODE_USE_ENV_PROXY=1 too, where providers are reached through that proxy.';
  return [warning('proxy', `${variable} is set, and calls to providers do not use it`, fix)];
}

/** The API answers on its port, or could listen on it. */
export async function checkPort({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Finding> {
  if (port === 0) return ok('port', 'any free one');
  // 0.0.0.0 and :: listen everywhere, here too.
  const url = `http://${/^[0:.]+$/.test(host) ? '127.0.0.1' : host}:${port}`;
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).then(
    async (response) => ({ status: response.status, body: await response.text() }),
    () => null,
  );
  if (answer?.body.includes('"services"')) {
    return answer.status === 200
      ? ok('api', `answers and is ready at ${url}`)
      : warning(
          'api',
          `answers at ${url} and is not ready: ${answer.body}`,
          'Fix the services that are listed above.',
        );
  }
  if (answer === null && (await isPortFree(port))) {
    return warning(
      'api',
      `nothing listens at ${url}`,
      `Start it: ${START_COMMAND}, or node ${onDisk('api/main.ts')}.`,
    );
  }
  return error('api', `another program has port ${port}`, 'End it, or set UNBROKEN_PORT to another.');
}
