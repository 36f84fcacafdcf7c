/** Temporal's server and its schema tool. Go compiles them once for the whole machine; the result is cached. */
import { join } from 'node:path';
import {
  cachedProgram,
  findOnPath,
  isExecutable,
  runCommand,
} from '../../../../tools/services/programs/executables.js';
import { type Report, ServiceError, seconds } from '../../../../tools/services/programs/service-error.js';

const VERSION = '1.29.1';
const USUAL_GO = '/usr/local/go/bin/go';
const BUILD_MS = 30 * 60_000;
const PACKAGES = { server: 'cmd/server', sql: 'cmd/tools/sql' } as const;

interface TemporalPrograms {
  readonly server: string;
  /** Creates and upgrades the schema of a SQL database. */
  readonly sql: string;
}

export async function findTemporalPrograms(report: Report): Promise<TemporalPrograms> {
  return { server: await find('server', report), sql: await find('sql', report) };
}

function find(program: keyof typeof PACKAGES, report: Report): Promise<string> {
  const place = { folder: `temporal-server-${VERSION}`, program, env: process.env };
  return cachedProgram(place, (workshop) => compile(workshop, program, report));
}

async function compile(workshop: string, program: keyof typeof PACKAGES, report: Report): Promise<string> {
  const go = findOnPath('go') ?? (isExecutable(USUAL_GO) ? USUAL_GO : undefined);
  const fix =
    'Install Go (https://go.dev/dl): Temporal publishes no ready build of its server for a plain machine.';
  if (go === undefined) throw new ServiceError('There is no Go to compile the server of Temporal.', fix);
  const name = `go.temporal.io/server/${PACKAGES[program]}@v${VERSION}`;
  report(`temporal: compiling by: go install ${name} (some minutes, once)`);
  const begunAt = Date.now();
  const settings = { env: { GOBIN: workshop, GOFLAGS: '' }, timeoutMs: BUILD_MS };
  const { code, output } = await runCommand('nice', ['-n', '10', go, 'install', name], settings);
  const path = join(workshop, program);
  if (code !== 0 || !isExecutable(path))
    throw new ServiceError(`Temporal could not be compiled:\n${output}`, fix);
  report(`temporal: compiled ${program} in ${seconds(begunAt)}`);
  return path;
}
