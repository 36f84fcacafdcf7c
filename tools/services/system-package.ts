/** A program of the system: found on PATH, else installed by the system's package manager, which is said before. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath, runCommand } from './executables.ts';
import { type Environment, type Report, ServiceError, seconds } from './service-error.ts';

const INSTALL_MS = 5 * 60_000;
const POLICY_FILE = '/usr/sbin/policy-rc.d';
/** Servers lie there, and only root has them on PATH. */
const SERVER_FOLDERS = ':/usr/local/sbin:/usr/sbin';

export interface SystemPackage {
  /** As people call it. */
  readonly name: string;
  /** Any of these will do. */
  readonly programs: readonly string[];
  /** Its package by package manager. */
  readonly apt: string;
  readonly others: Readonly<Record<'brew' | 'dnf' | 'apk', string>>;
  /** What to do where it cannot be installed, beside installing it. */
  readonly instead: string;
}

/** The path of the program. Throws ServiceError with the one command to run where we have no right to install it. */
export async function findOrInstall(
  wanted: SystemPackage,
  report: Report,
  env: Environment = process.env,
): Promise<string> {
  const found = find(wanted, env);
  if (found !== undefined) return found;
  const aptGet = findOnPath('apt-get', env);
  const isRoot = process.getuid?.() === 0;
  if (aptGet === undefined || !isRoot) {
    const command = aptGet !== undefined ? `sudo apt-get install -y ${wanted.apt}` : installCommand(wanted);
    throw new ServiceError(
      `${wanted.name} is not installed, and installing it needs rights that this process does not have.`,
      `Run once: ${command}   (or ${wanted.instead})`,
    );
  }
  return installByApt(aptGet, wanted, report, env);
}

function find({ programs }: SystemPackage, env: Environment): string | undefined {
  const widened = { ...env, PATH: `${env['PATH'] ?? ''}${env['PATH'] === '' ? '' : SERVER_FOLDERS}` };
  return programs.map((program) => findOnPath(program, widened)).find((path) => path !== undefined);
}

async function installByApt(
  aptGet: string,
  wanted: SystemPackage,
  report: Report,
  env: Environment,
): Promise<string> {
  const name = wanted.name.toLowerCase();
  report(`${name}: not found; installing it by: apt-get install -y ${wanted.apt}`);
  const begunAt = Date.now();
  const settings = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_MS };
  // Another process may be installing something; it is waited for.
  const args = ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', wanted.apt];
  const install = () => runCommand(aptGet, args, settings);
  // The package would start a daemon of its own on its usual port; a policy that says 101 forbids it for the moment.
  const addsPolicy = !existsSync(POLICY_FILE);
  try {
    if (addsPolicy) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    let result = await install();
    if (result.code !== 0) {
      await runCommand(aptGet, ['update'], settings);
      result = await install();
    }
    const path = find(wanted, env);
    if (result.code !== 0 || path === undefined) {
      throw new ServiceError(
        `apt-get could not install ${wanted.apt}:\n${result.output}`,
        `Install ${wanted.name} by hand, or ${wanted.instead}.`,
      );
    }
    report(`${name}: installed in ${seconds(begunAt)}`);
    return path;
  } finally {
    if (addsPolicy) rmSync(POLICY_FILE, { force: true });
  }
}

function installCommand({ others }: SystemPackage): string {
  if (process.platform === 'darwin') return `brew install ${others.brew}`;
  if (findOnPath('dnf') !== undefined) return `sudo dnf install -y ${others.dnf}`;
  if (findOnPath('apk') !== undefined) return `sudo apk add ${others.apk}`;
  return `install the package ${others.dnf} with your system's package manager`;
}
