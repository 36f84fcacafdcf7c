/** Checks Qdrant: reachable, new enough, accepts our key. Without Qdrant only the answer cache is missing. */
import { z } from 'zod';
import type { Config } from '../../../platform/config/load-config.ts';
import { checkQdrantCluster } from './check-qdrant-cluster.ts';
import { ANSWER_WITHIN_MS, type Finding, isAtLeast, ok, shown, warning, wordsOf } from './finding.ts';

const LEAST_VERSION = '1.10';
const aboutSchema = z.object({ version: z.string() });

export async function checkQdrant({ qdrant }: Pick<Config, 'qdrant'>): Promise<Finding[]> {
  const { url, apiKey } = qdrant;
  const ask = (path: string) =>
    fetch(`${url}${path}`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      headers: apiKey === undefined ? {} : { 'api-key': apiKey },
    });
  try {
    const [about, collections] = await Promise.all([ask('/'), ask('/collections')]);
    await collections.body?.cancel();
    if (collections.status === 401 || collections.status === 403) {
      return [
        warning('qdrant', `${shown(url)} refuses the key`, 'Set QDRANT_API_KEY to a key that may write.'),
      ];
    }
    const { version } = aboutSchema.parse(await about.json());
    return [
      ok('qdrant', `answers at ${shown(url)}`),
      isAtLeast(version, LEAST_VERSION)
        ? ok('qdrant version', version)
        : warning('qdrant version', version, `Upgrade Qdrant to ${LEAST_VERSION} or later.`),
      ...(await checkQdrantCluster(qdrant, async (path) => (await ask(path)).json())),
    ];
  } catch (problem) {
    const fix = 'Start Qdrant, or set QDRANT_URL to where it is. Until then no answer comes from the cache.';
    return [warning('qdrant', `${shown(url)}: ${wordsOf(problem)}`, fix)];
  }
}
