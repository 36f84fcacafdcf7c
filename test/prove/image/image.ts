/**
 * Builds the image without a container engine, by running the steps of the Dockerfile in a clean folder, and starts
 * the programs of docker-compose.yml from it: a question is answered, and a killed worker loses no token.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { textOf } from '../../../contracts/fold-events.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { faultsOf } from '../../harness/check-events.ts';
import { type ChildHandle, PROJECT_ROOT, startChild } from '../../harness/child-process.ts';
import { promptOf } from '../../harness/prompt.ts';
import { startReading } from '../../harness/reader.ts';
import { startSharedServices } from '../../harness/shared-services.ts';
import { connectSimulator } from '../../harness/simulator.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import { type BuiltImage, buildImage } from './build.ts';
import { parseDockerfile } from './dockerfile.ts';

const MOST_MB = 350;
const TOKENS = 200;
const BLOCK_BYTES = 512;
const KEY = `ub_dev_${randomUUID().replaceAll('-', '')}`;

const execute = promisify(execFile);
const serviceSchema = z.object({
  command: z.array(z.string()).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});

type Environment = Readonly<Record<string, string>>;

/** Resolves with whether all of it held. */
export async function proveImage(): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'unbroken-image-'));
  try {
    assertSameNode();
    const image = await buildImage(home, dirname(process.execPath));
    for (const command of image.skipped)
      console.log(`not run, because it needs the system of the image: ${command}`);
    const isSmall = printSize(image.folder);
    const faults = await runImage(image);
    for (const fault of faults) console.log(`FAULT ${fault}`);
    console.log(`${faults.length} faults`);
    return isSmall && faults.length === 0;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The steps run on this Node, so it must be the one of the image. */
function assertSameNode(): void {
  for (const { image } of parseDockerfile(readFileSync(join(PROJECT_ROOT, 'Dockerfile'), 'utf8'))) {
    if (!image.startsWith(`node:${process.versions.node}-`))
      throw new Error(`this is Node ${process.versions.node}, but the image is made FROM ${image}`);
  }
}

function printSize(folder: string): boolean {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    bytes += lstatSync(join(entry.parentPath, entry.name)).blocks * BLOCK_BYTES;
  const mb = bytes / 1024 ** 2;
  console.log(`the production install, with the product: ${mb.toFixed(0)} MB (limit: ${MOST_MB} MB)`);
  return mb < MOST_MB;
}

async function runImage(image: BuiltImage): Promise<string[]> {
  const services = await startSharedServices();
  const started: ChildHandle[] = [];
  const start = async (name: string, command: readonly string[], environment: Environment) => {
    const child = await startChild(name, command.slice(1), environment, image.folder);
    started.push(child);
    return child;
  };
  try {
    const simulator = await start('simulator', commandOf('simulator', '--port=0'), {});
    const environment = {
      ...image.environment,
      ...services.env,
      UNBROKEN_TASK_QUEUE: `image-${randomUUID()}`,
      UNBROKEN_SIMULATOR_URL: simulator.url,
      UNBROKEN_DEV_KEY: KEY,
      UNBROKEN_PORT: String(await findFreePort()),
      UNBROKEN_METRICS_PORT: '0',
    };
    await runOnce(image, commandOf('search-attributes'), environment);
    const worker = await start('worker', commandOf('worker'), environment);
    const api = await start('api', image.command, environment);
    for (const check of [image.healthCheck, healthCheckOf('worker')])
      await runOnce(image, check, environment);
    return await askAndKill(api.url, simulator.url, async () => {
      await worker.signal('SIGKILL');
      await start('another worker', commandOf('worker'), environment);
    });
  } finally {
    await Promise.all(started.map((child) => child.end()));
    await services.stop();
  }
}

const compose = z
  .object({ services: z.record(z.string(), serviceSchema) })
  .parse(parse(readFileSync(join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }));

/** @param port instead of the one that the command names. */
function commandOf(service: string, port?: string): string[] {
  const command = compose.services[service]?.command;
  if (command === undefined) throw new Error(`docker-compose.yml has no command for ${service}`);
  const at = command.indexOf('--port');
  return port === undefined ? command : [...command.slice(0, at), port];
}

function healthCheckOf(service: string): string[] {
  const [kind, ...command] = compose.services[service]?.healthcheck?.test ?? [];
  if (kind !== 'CMD') throw new Error(`docker-compose.yml has no health check for ${service}`);
  return command;
}

/** Throws, with what it printed, unless the exit code is 0. */
async function runOnce(
  image: BuiltImage,
  command: readonly string[],
  environment: Environment,
): Promise<void> {
  await execute(process.execPath, command.slice(1), { cwd: image.folder, env: environment });
  console.log(`ok: ${command.slice(0, 3).join(' ').slice(0, 80)}`);
}

/** One question whose worker is killed in the middle of the answer; another one is started, and continues. */
async function askAndKill(
  url: string,
  simulatorUrl: string,
  replaceWorker: () => Promise<void>,
): Promise<string[]> {
  const api = connectApi(url, KEY);
  const page = await fetch(url);
  const faults = page.status === 200 ? [] : [`the page: ${page.status}`];
  const input = promptOf({ tokens: TOKENS, delayMs: 10 });
  const expected = await connectSimulator(simulatorUrl).text(input);
  const { status, body } = await api.create({ input, cache: 'off' });
  if (status !== 201) return [...faults, `POST /v1/generations: ${status}`];
  const reading = startReading(api, body.id);
  await reading.deltas(20);
  await replaceWorker();
  const events = await reading.whole;
  const calls = events.filter(({ type }) => type === 'provider-start').length;
  console.log(
    `ok: the whole answer, in ${events.length} events and ${calls} calls, through a kill of the worker`,
  );
  if (calls < 2) faults.push('the kill interrupted no call');
  if (textOf(events) !== expected.text) faults.push('the text is not the one that the model wrote');
  return [...faults, ...faultsOf(events)];
}
