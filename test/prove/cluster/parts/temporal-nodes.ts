/** Nodes of one Temporal, with all four services in each, on the databases of one PostgreSQL. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { runCommand } from '../../../../tools/services/programs/executables.js';
import { type Report, ServiceError } from '../../../../tools/services/programs/service-error.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../../../tools/services/run-process.ts';
import { PROJECT_ROOT } from '../../../harness/child-process.ts';
import { fixedPort } from './fixed-port.ts';
import { POSTGRES_USER } from './postgres.ts';

const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
const DATABASES = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;
/** Fixed when a cluster is created. Each has its own queues, so many of them cost a small machine much. */
const HISTORY_SHARDS = 16;
const CONNECTIONS = 20;
const SCHEMA_MS = 120_000;
const HEALTHY_MS = 90_000;
const CALL_MS = 3_000;
const FIX = 'Read the log.';

export interface TemporalNode {
  /** Of its frontend, such as 127.0.0.1:20001. */
  readonly address: string;
  start(): Promise<RunningProcess>;
}

/** Creates both databases with their tables. */
export async function prepareDatabases(sql: string, postgresPort: number): Promise<void> {
  for (const [schema, database] of Object.entries(DATABASES)) {
    const common = ['--plugin', 'postgres12', '--ep', '127.0.0.1', '-p', String(postgresPort)];
    common.push('-u', POSTGRES_USER, '--db', database);
    const steps = [
      ['create-database', '--defaultdb', 'postgres'],
      ['setup-schema', '-v', '0.0'],
      ['update-schema', '--schema-name', `postgresql/v12/${schema}`],
    ];
    for (const step of steps) {
      const { code, output } = await runCommand(sql, [...common, ...step], { timeoutMs: SCHEMA_MS });
      if (code !== 0) throw new ServiceError(`${step[0]} of ${database} failed: ${output}`, FIX);
    }
  }
}

interface NodePlan {
  readonly executable: string;
  readonly index: number;
  readonly dataDir: string;
  readonly postgresPort: number;
  readonly report: Report;
}

export async function prepareTemporalNode(plan: NodePlan): Promise<TemporalNode> {
  const { executable, index, dataDir, postgresPort, report } = plan;
  const name = `temporal-${index}`;
  const folder = join(dataDir, name);
  mkdirSync(folder, { recursive: true });
  const ports = await Promise.all(
    SERVICES.map(async (service) => [service, await fixedPort(), await fixedPort()] as const),
  );
  const address = `127.0.0.1:${ports[0]?.[1]}`;
  // JSON is YAML.
  writeFileSync(join(folder, 'node.yaml'), JSON.stringify(configOf(ports, postgresPort)));
  return {
    address,
    start: async () => {
      const args = ['--root', '/', '--config', folder, '--env', 'node', '--allow-no-auth', 'start'];
      const running = await runProcess({ name, command: executable, args, dataDir, report });
      const limits = { deadlineMs: HEALTHY_MS, fix: FIX };
      await untilHealthy(name, running, limits, () => isServing(address));
      return running;
    },
  };
}

/** Whether the frontend of this node answers, from the database. */
export async function isServing(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: CALL_MS });
  try {
    await connection.withDeadline(Date.now() + CALL_MS, () =>
      connection.workflowService.describeNamespace({ namespace: 'temporal-system' }),
    );
    return true;
  } finally {
    await connection.close();
  }
}

function configOf(
  ports: readonly (readonly [service: string, grpcPort: number, membershipPort: number])[],
  postgresPort: number,
): object {
  const store = (databaseName: string) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${postgresPort}`,
      connectProtocol: 'tcp',
      user: POSTGRES_USER,
      maxConns: CONNECTIONS,
      maxIdleConns: CONNECTIONS,
      maxConnLifetime: '1h',
    },
  });
  const cluster = { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend' };
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: { default: store(DATABASES.temporal), visibility: store(DATABASES.visibility) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(
      ports.map(([service, grpcPort, membershipPort]) => [
        service,
        { rpc: { grpcPort, membershipPort, bindOnLocalHost: true } },
      ]),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: { active: { ...cluster, rpcAddress: `127.0.0.1:${ports[0]?.[1]}` } },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: {
      filepath: `${PROJECT_ROOT}tools/deploy/temporal-dynamicconfig.yaml`,
      pollInterval: '60s',
    },
  };
}
