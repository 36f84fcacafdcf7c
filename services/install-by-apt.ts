/** Installs a package of Debian or Ubuntu, where this process may: said before, and no daemon of it is started. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath, runCommand } from './executables.ts';
import { type Environment, type Report, ServiceError, seconds } from './service-error.ts';

const INSTALL_MS = 5 * 60_000;
const POLICY_FILE = '/usr/sbin/policy-rc.d';

export interface Installation {
  readonly packageName: string;
  /** What it puts on PATH. */
  readonly program: string;
  /** What to do where it cannot be installed. */
  readonly fix: string;
  readonly report: Report;
  readonly env?: Environment;
}

/** Whether `installByApt` can be tried: there is apt-get, and we have the rights. */
export function canInstallByApt(env: Environment = process.env): boolean {
  return findOnPath('apt-get', env) !== undefined && process.getuid?.() === 0;
}

/** @returns the path of the program. Throws ServiceError where it is not there afterwards. */
export async function installByApt(installation: Installation): Promise<string> {
  const { packageName, program, fix, report, env = process.env } = installation;
  report(`${packageName}: not found; installing it by: apt-get install -y ${packageName}`);
  const begunAt = Date.now();
  const settings = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_MS };
  const aptGet = findOnPath('apt-get', env) ?? 'apt-get';
  const install = () =>
    runCommand(aptGet, ['install', '-y', '--no-install-recommends', packageName], settings);
  // A package may start a daemon of its own; a policy that says 101 forbids it for the moment.
  const addsPolicy = !existsSync(POLICY_FILE);
  try {
    if (addsPolicy) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    let result = await install();
    if (result.code !== 0) {
      await runCommand(aptGet, ['update'], settings);
      result = await install();
    }
    const path = findOnPath(program, env);
    if (result.code !== 0 || path === undefined) {
      throw new ServiceError(`apt-get could not install ${packageName}:\n${result.output}`, fix);
    }
    report(`${packageName}: installed in ${seconds(begunAt)}`);
    return path;
  } finally {
    if (addsPolicy) rmSync(POLICY_FILE, { force: true });
  }
}
