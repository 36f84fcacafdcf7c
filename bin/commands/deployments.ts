/** `unbroken deployments ...`: which version of the workers takes new generations. It talks to Temporal alone. */
import type { Connection } from '@temporalio/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type Config, loadConfig } from '../../platform/config/load-config.ts';
import {
  moveRuns,
  readDeployment,
  setCurrentVersion,
  setRamp,
  withTemporal,
} from '../../tools/services/worker-deployment.ts';
import { type JsonFlag, printJson, printOutcome, withJson } from './print-json.ts';
import { printTable } from './print-table.ts';

function ask<Answer>(
  question: (connection: Connection, temporal: Config['temporal']) => Promise<Answer>,
): Promise<Answer> {
  const { temporal } = loadConfig();
  return withTemporal(temporal, (connection) => question(connection, temporal));
}

function percentOf(text: string): number {
  const percent = Number(text);
  if (text.trim() !== '' && percent >= 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('expected a number from 0 to 100');
}

async function show({ json }: JsonFlag): Promise<void> {
  const { name } = loadConfig().temporal.deployment;
  const deployment = await ask(readDeployment);
  if (json === true) return printJson(deployment);
  if (deployment === null) {
    console.error(
      `No worker of a deployment "${name}" has polled. TEMPORAL_WORKER_BUILD_ID gives one a version.`,
    );
    return;
  }
  const { current, ramp, versions } = deployment;
  console.error(
    `New generations of ${name} begin on ${current ?? 'workers without a version'}` +
      `${ramp === null ? '' : `, ${ramp.percent} % of them on ${ramp.buildId}`}.`,
  );
  printTable([
    ['build id', 'status', 'workers', 'running'],
    ...versions.map(({ buildId, status, workers, running }) => [
      buildId,
      status,
      String(workers),
      String(running),
    ]),
  ]);
}

export function defineDeployments(deployments: Command): void {
  withJson(deployments.command('show', { isDefault: true }))
    .description('the versions of the workers, and how many generations run on each')
    .action(show);
  withJson(deployments.command('set-current'))
    .description('new generations begin on this version; running ones end where they began')
    .argument('[build-id]')
    .option('--unversioned', 'on workers without a version')
    .action(async (buildId: string | undefined, flags: JsonFlag & { unversioned?: boolean }) => {
      if ((buildId === undefined) === (flags.unversioned !== true))
        throw new Error('Give a build id, or --unversioned.');
      await ask((connection, temporal) => setCurrentVersion(connection, temporal, buildId ?? null));
      const target = buildId ?? 'workers without a version';
      printOutcome(flags, { current: buildId ?? null }, `New generations begin on ${target}.`);
    });
  withJson(deployments.command('ramp'))
    .description('a share of the new generations begins on this version; 0 ends the ramp')
    .argument('<build-id>')
    .argument('<percent>', 'from 0 to 100', percentOf)
    .action(async (buildId: string, percent: number, flags: JsonFlag) => {
      await ask((connection, temporal) => setRamp(connection, temporal, buildId, percent));
      const sentence = `${percent} % of the new generations begin on ${buildId}.`;
      printOutcome(flags, { ramp: { buildId, percent } }, sentence);
    });
  withJson(deployments.command('move'))
    .description('the current version continues the generations of a version that has no workers')
    .argument('<build-id>')
    .action(async (buildId: string, flags: JsonFlag) => {
      const moved = await ask((connection, temporal) => moveRuns(connection, temporal, buildId));
      printOutcome(flags, { buildId, moved }, `Moved ${moved} generations of ${buildId}.`);
    });
}
