/** HAProxy before the cluster, with the configuration that an operator has too: tools/deploy/haproxy-cluster.cfg. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../../tools/services/programs/service-error.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../../../tools/services/run-process.ts';
import { PROJECT_ROOT } from '../../../harness/child-process.ts';
import { listensOn } from '../../../harness/listens-on.ts';
import { findProxy } from '../../../proxies/front.ts';
import { fixedPort } from './fixed-port.ts';

const IDLE_SECONDS = 60;
/** All callers of the proof have one address. */
const REQUESTS_PER_SECOND = 100_000;
const HEALTHY_MS = 30_000;

interface FrontPlan {
  readonly dataDir: string;
  /** Host and port of each. */
  readonly apis: readonly string[];
  readonly temporal: readonly string[];
  readonly qdrant: readonly string[];
  readonly report: Report;
}

export interface ClusterFront {
  /** Where callers reach the APIs. */
  readonly url: string;
  readonly temporalAddress: string;
  readonly qdrantUrl: string;
  /** The file of its certificate, which signs itself. */
  readonly certificatePath: string;
  readonly certificate: string;
  start(): Promise<RunningProcess>;
}

export async function prepareFront({
  dataDir,
  apis,
  temporal,
  qdrant,
  report,
}: FrontPlan): Promise<ClusterFront> {
  const command = await findProxy('haproxy');
  const [port, temporalPort, qdrantPort] = [await fixedPort(), await fixedPort(), await fixedPort()];
  execFileSync(process.execPath, ['tools/deploy/make-certificate.ts', dataDir], { cwd: PROJECT_ROOT });
  const numbered = (name: string, nodes: readonly string[]) =>
    Object.fromEntries(nodes.map((node, index) => [`FRONT_${name}_${index + 1}`, node]));
  const env = {
    FRONT_LISTEN: `127.0.0.1:${port}`,
    FRONT_CERTIFICATES: dataDir,
    FRONT_IDLE_SECONDS: String(IDLE_SECONDS),
    FRONT_REQUESTS_PER_SECOND: String(REQUESTS_PER_SECOND),
    FRONT_TEMPORAL_LISTEN: `127.0.0.1:${temporalPort}`,
    FRONT_QDRANT_LISTEN: `127.0.0.1:${qdrantPort}`,
    ...numbered('API', apis),
    ...numbered('TEMPORAL', temporal),
    ...numbered('QDRANT', qdrant),
  };
  const certificatePath = join(dataDir, 'front.crt');
  return {
    url: `https://127.0.0.1:${port}`,
    temporalAddress: `127.0.0.1:${temporalPort}`,
    qdrantUrl: `http://127.0.0.1:${qdrantPort}`,
    certificatePath,
    certificate: readFileSync(certificatePath, 'utf8'),
    start: async () => {
      const args = ['-db', '-f', join(PROJECT_ROOT, 'tools/deploy/haproxy-cluster.cfg')];
      const running = await runProcess({ name: 'front', command, args, dataDir, env, report });
      const limits = { deadlineMs: HEALTHY_MS, fix: 'Read the log.' };
      await untilHealthy('HAProxy', running, limits, () => listensOn(port));
      return running;
    },
  };
}
