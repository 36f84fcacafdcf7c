/**
 * `npm start` and `unbroken start`: everything that a generation needs, a first generation, and what to try next.
 * Ctrl-C ends it all.
 */
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../clients/typescript/index.ts';
import { buildPage } from '../clients/web/build.ts';
import { ConfigError, loadConfig } from '../platform/config/load-config.ts';
import { IS_COMPILED, START_COMMAND } from '../platform/on-disk.ts';
import { ensureDataDir } from '../tools/services/data-dir.ts';
import { developmentKey } from '../tools/services/dev-key.ts';
import { keepSimulator } from '../tools/services/keep-simulator.ts';
import { metricsOfWorker } from '../tools/services/metrics-ports.ts';
import { assertPortFree, findFreePort } from '../tools/services/ports.ts';
import { reasonOf, ServiceError, seconds } from '../tools/services/programs/service-error.js';
import { provideServices } from '../tools/services/provide-services.ts';
import { type NodeProgram, runNode } from '../tools/services/run-node.ts';
import { runProcess } from '../tools/services/run-process.ts';
import { supervise } from '../tools/services/supervise.ts';
import { onClosedPipe } from './closed-pipe.ts';
import { signInLink } from './commands/open.ts';

const PARENT_POLL_MS = 500;
const DEFAULT_API_PORT = 8787;
const FIRST_INPUT = 'In three sentences: what does it take that a reader never loses a token?';

interface Started {
  readonly name: string;
  stop(): Promise<void>;
}

const begunAt = Date.now();
const started: Started[] = [];
const report = (line: string) => process.stdout.write(`  ${line}\n`);
let ending: Promise<void> | undefined;

/** In the reverse order of the start, so that a worker can still report to Temporal that it leaves. */
async function stopAll(): Promise<void> {
  for (const program of started.toReversed()) {
    try {
      await program.stop();
    } catch (error) {
      report(`${program.name}: did not stop cleanly (${reasonOf(error)})`);
    }
  }
}

function end(reason: string, exitCode: number): void {
  ending ??= (async () => {
    process.stdout.write(`\n${reason}; stopping what was started\n`);
    await stopAll();
    process.stdout.write('stopped\n');
    process.exit(exitCode);
  })();
}

/** Starts one of our programs and keeps it alive; returns the address that it printed. */
async function keepRunning(program: NodeProgram): Promise<string> {
  const startedAt = Date.now();
  const first = await runNode(program);
  const kept = supervise(program.name, first.process, async () => (await runNode(program)).process, report);
  started.push({ name: program.name, stop: kept.stop });
  void kept.givenUp.then((reason) => end(reason, 1));
  report(
    `${program.name}: ready${first.url === undefined ? '' : ` on ${first.url}`} in ${seconds(startedAt)}`,
  );
  return first.url ?? '';
}

async function simulatorEnvironment(dataDir: string): Promise<Record<string, string>> {
  const { OPENAI_API_KEY, ANTHROPIC_API_KEY, UNBROKEN_SIMULATOR_URL } = process.env;
  if (OPENAI_API_KEY || ANTHROPIC_API_KEY || UNBROKEN_SIMULATOR_URL) return {};
  report('no OPENAI_API_KEY or ANTHROPIC_API_KEY is set: the simulated provider answers');
  const startedAt = Date.now();
  const simulator = await keepSimulator(dataDir, report);
  started.push({ name: 'simulator', stop: simulator.stop });
  void simulator.givenUp.then((reason) => end(reason, 1));
  report(`simulator: ready on ${simulator.url} in ${seconds(startedAt)}`);
  return { UNBROKEN_SIMULATOR_URL: simulator.url };
}

async function start(): Promise<void> {
  // Checked before anything starts. The simulator's address is not known yet, so a placeholder stands for it.
  const { dataDir, port, host, telemetry, redisPlace } = loadConfig({
    UNBROKEN_SIMULATOR_URL: 'http://127.0.0.1:9',
    ...process.env,
  });
  ensureDataDir(dataDir);
  if (port !== 0) {
    const fix = `End the process that uses it, or choose another port: UNBROKEN_PORT=${port + 1} ${START_COMMAND}`;
    await assertPortFree('The API', port, fix);
  }
  const isRedisElsewhere = !process.env['REDIS_URL'] && redisPlace.kind !== 'one';
  process.stdout.write('Unbroken starts\n');
  const [services, [simulator]] = await allOrNothing([
    provideServices({ dataDir, ports: 'default', keepAlive: true, report, isRedisElsewhere }).then(
      (provided) => {
        started.unshift({ name: 'services', stop: provided.stop });
        void provided.givenUp.then((reason) => end(reason, 1));
        return provided;
      },
    ),
    allOrNothing([simulatorEnvironment(dataDir), IS_COMPILED ? false : buildPage()]),
  ]);
  const key = developmentKey(dataDir);
  const apiPort = port === 0 ? await findFreePort() : port;
  const env = {
    ...services.env,
    ...simulator,
    UNBROKEN_DATA_DIR: dataDir,
    UNBROKEN_HOST: host,
    UNBROKEN_PORT: String(apiPort),
    UNBROKEN_DEV_KEY: key,
  };
  const [, apiUrl] = await allOrNothing([
    keepRunning({
      name: 'worker',
      file: 'worker/main.ts',
      preload: 'worker/vm-without-watchdog.ts',
      dataDir,
      report,
      env: { ...env, ...metricsOfWorker(telemetry.metricsPort) },
    }),
    keepRunning({ name: 'api', file: 'api/main.ts', dataDir, env, report }),
  ]);
  await generateOnce(apiUrl, key);
  const { url: pageUrl } = await signInLink({ baseUrl: apiUrl, apiKey: key });
  printNextSteps({ apiUrl, pageUrl, uiUrl: services.temporal.uiUrl, key, dataDir });
  await buildDocs(dataDir);
}

/** Waits for both before it throws; otherwise one of them could start something after the stop. */
async function allOrNothing<One, Two>(work: [One | Promise<One>, Two | Promise<Two>]): Promise<[One, Two]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Nobody waits for the documentation: a clone builds it after the start, at the lowest priority. */
async function buildDocs(dataDir: string): Promise<void> {
  if (IS_COMPILED) return;
  const args = [join(import.meta.dirname, '..', 'tools', 'docs', 'build.ts')];
  const building = await runProcess({ name: 'docs', command: process.execPath, args, dataDir, report });
  setPriority(building.pid, constants.priority.PRIORITY_LOW);
  started.push({ name: 'docs', stop: building.stop });
  void building.exited.then(async (exit) => {
    await building.stop();
    if (ending === undefined && exit !== 'exit code 0')
      report(`docs: could not be built (${exit}); see ${building.logPath}`);
  });
}

async function generateOnce(apiUrl: string, apiKey: string): Promise<void> {
  process.stdout.write(`\nA first generation: "${FIRST_INPUT}"\n\n`);
  const startedAt = Date.now();
  const client = createClient({ baseUrl: apiUrl, apiKey });
  for await (const event of await client.generate({ input: FIRST_INPUT })) {
    if (event.type === 'text-delta') process.stdout.write(event.text);
    else if (event.type === 'text-reset') process.stdout.write('\n--- the text above is void ---\n');
    else if (event.type === 'generation-error') {
      throw new ServiceError(
        `The first generation failed: ${event.error.code}: ${event.error.message}`,
        `Read ${event.error.doc} and the logs.`,
      );
    } else if (event.type === 'generation-end') {
      const tokens = `${event.usage.outputTokens} tokens`;
      process.stdout.write(`\n\n  ${event.provider}/${event.model}, ${tokens}, ${seconds(startedAt)}\n`);
    }
  }
}

interface Addresses {
  readonly apiUrl: string;
  readonly pageUrl: string;
  readonly uiUrl: string | undefined;
  readonly key: string;
  readonly dataDir: string;
}

function printNextSteps({ apiUrl, pageUrl, uiUrl, key, dataDir }: Addresses): void {
  const where = apiUrl === `http://127.0.0.1:${DEFAULT_API_PORT}` ? '' : `UNBROKEN_URL=${apiUrl} `;
  process.stdout.write(`
Ready after ${seconds(begunAt)}.

  Page          ${pageUrl}
                signs you in, once, within ten minutes; for a new link: ${where}npx unbroken open
  Documentation ${apiUrl}/docs/
  API           ${apiUrl}
  Temporal UI   ${uiUrl || '(of your own Temporal)'}
  key           ${key}
  logs          ${dataDir}/logs

Try next:

  curl -N ${apiUrl}/v1/generations -H 'Authorization: Bearer ${key}' \\
    -H 'Content-Type: application/json' -d '{"input":"Why is the sky blue?","stream":true}'

  ${where}npx unbroken generate "Why is the sky blue?"

Ctrl-C stops all of it.
`);
}

// Ctrl-C also ends a program that reads this output, such as `tee`; what was started must be stopped all the same.
onClosedPipe(() => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal, 0));
const parentPid = Number(process.env['UNBROKEN_PARENT_PID'] ?? 0);
setInterval(() => {
  if (parentPid !== 0 && process.ppid !== parentPid) end('The process that started this one is gone', 1);
}, PARENT_POLL_MS).unref();

try {
  await start();
} catch (error) {
  if (ending === undefined) {
    const isExplained = error instanceof ServiceError || error instanceof ConfigError;
    const text = isExplained || !(error instanceof Error) ? reasonOf(error) : error.stack;
    process.stderr.write(`\n${text}\n`);
    end('The start failed', 1);
  }
}
