/** A program of the system: found on PATH, else installed by the system's package manager, which is reported before. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath, runCommand } from './executables.js';
import { ServiceError, seconds } from './service-error.js';

/** @typedef {import('./service-error.js').Report} Report */
/** @typedef {import('./service-error.js').Environment} Environment */

/**
 * @typedef {object} SystemPackage
 * @property {string} name as people call it
 * @property {readonly string[]} programs any of these will do
 * @property {string} apt its package of Debian
 * @property {Readonly<Record<'brew' | 'dnf' | 'apk', string>>} others its package by package manager
 * @property {string} instead what to do where it cannot be installed
 */

const INSTALL_MS = 5 * 60_000;
const POLICY_FILE = '/usr/sbin/policy-rc.d';
/** Servers lie there, and only root has them on PATH. */
const SERVER_FOLDERS = ':/usr/local/sbin:/usr/sbin';

/**
 * The path of the program. Throws ServiceError with the one command to run where this process may not install it.
 * @param {SystemPackage} wanted
 * @param {Report} report
 * @param {Environment} env
 */
export async function findOrInstall(wanted, report, env = process.env) {
  const installed = findProgram(wanted, env);
  if (installed !== undefined) return installed;
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

/**
 * @param {SystemPackage} wanted
 * @param {Environment} env
 */
function findProgram({ programs }, env) {
  const widened = { ...env, PATH: `${env['PATH'] ?? ''}${env['PATH'] === '' ? '' : SERVER_FOLDERS}` };
  return programs.map((program) => findOnPath(program, widened)).find((path) => path !== undefined);
}

/**
 * @param {string} aptGet
 * @param {SystemPackage} wanted
 * @param {Report} report
 * @param {Environment} env
 */
async function installByApt(aptGet, wanted, report, env) {
  const name = wanted.name.toLowerCase();
  report(`${name}: not found; installing it by: apt-get install -y ${wanted.apt}`);
  const begunAt = Date.now();
  const settings = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_MS };
  // Another process may be installing something; apt-get waits for it.
  const args = ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', wanted.apt];
  const install = () => runCommand(aptGet, args, settings);
  // The package would start a daemon on its usual port; a policy that says 101 forbids it for the moment.
  const allowDaemons = forbidDaemons(POLICY_FILE);
  try {
    let result = await install();
    if (result.code !== 0) {
      await runCommand(aptGet, ['update'], settings);
      result = await install();
    }
    const path = findProgram(wanted, env);
    if (result.code !== 0 || path === undefined) {
      throw new ServiceError(
        `apt-get could not install ${wanted.apt}:\n${result.output}`,
        `Install ${wanted.name} by hand, or ${wanted.instead}.`,
      );
    }
    report(`${name}: installed in ${seconds(begunAt)}`);
    return path;
  } finally {
    allowDaemons();
  }
}

/**
 * Writes the policy, unless there is one. It would forbid every later daemon too, so it also goes when this process
 * exits in the middle, as after a failure of npm.
 * @param {string} policyFile
 * @returns {() => void} removes it again.
 */
export function forbidDaemons(policyFile) {
  if (existsSync(policyFile)) return () => undefined;
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const remove = () => rmSync(policyFile, { force: true });
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

/** @param {SystemPackage} wanted */
function installCommand({ others }) {
  if (process.platform === 'darwin') return `brew install ${others.brew}`;
  if (findOnPath('dnf') !== undefined) return `sudo dnf install -y ${others.dnf}`;
  if (findOnPath('apk') !== undefined) return `sudo apk add ${others.apk}`;
  return `install the package ${others.dnf} with your system's package manager`;
}
