/** The peer: LiteLLM's proxy with one worker, installed once from PyPI into a virtual environment of the cache. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../test/harness/wait-for.ts';
import { findFreePort } from '../services/ports.ts';
import { cacheDirectory, findOnPath, runCommand } from '../services/programs/executables.js';
import { ServiceError } from '../services/programs/service-error.js';

const VERSION = '1.110.2';
const INSTALL_MS = 15 * 60_000;
const READY_MS = 120_000;
const MASTER_KEY = 'sk-bench';
/**
 * What the extra `proxy` needs. Since 1.110 one of them is the package `litellm-proxy`, which not every registry has,
 * while the proxy and its command are still in `litellm`. Its other satellites (migrations, enterprise hooks), which
 * the bench does not use, may have any version.
 */
const PRINT_NEEDS = `
from importlib.metadata import requires
from pip._vendor.packaging.requirements import Requirement
for text in requires('litellm'):
    need = Requirement(text)
    if need.name == 'litellm-proxy' or need.marker is None: continue
    if need.marker.evaluate({'extra': 'proxy'}) and not need.marker.evaluate({'extra': ''}):
        print(need.name if need.name.startswith('litellm-') else f'{need.name}{need.specifier}')
`;

interface Peer {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the proxy in front of a provider that speaks chat completions at `providerUrl` (with /v1). */
export async function startLiteLlm(providerUrl: string): Promise<Peer> {
  const program = await installedProgram();
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-litellm-'));
  const port = await findFreePort();
  const model = { model: 'openai/sim-large', api_base: providerUrl, api_key: 'none' };
  const config = {
    model_list: [{ model_name: 'sim-large', litellm_params: model }],
    litellm_settings: { telemetry: false },
    general_settings: { master_key: MASTER_KEY },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const args = ['--config', join(folder, 'config.yaml'), '--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(program, [...args, '--num_workers', '1'], {
    cwd: folder,
    env: {
      ...process.env,
      LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
      LITELLM_LOG: 'ERROR',
    },
    stdio: 'ignore',
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGTERM');
    const last = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(last);
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`LiteLLM ended with exit code ${child.exitCode}.`);
    return fetch(`${url}/health/liveliness`).then(
      (response) => response.ok,
      () => false,
    );
  };
  try {
    await waitFor('LiteLLM to be ready', isReady, READY_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, key: MASTER_KEY, pid: child.pid ?? 0, stop };
}

async function installedProgram(): Promise<string> {
  const folder = join(cacheDirectory(), `litellm-${VERSION}`);
  const program = join(folder, 'bin', 'litellm');
  if (existsSync(join(folder, 'whole'))) return program;
  const python = findOnPath('python3');
  if (python === undefined) {
    throw new ServiceError(
      'LiteLLM needs Python, and there is no python3 on PATH.',
      'Install Python 3.10 or later.',
    );
  }
  process.stderr.write(`litellm: installing ${VERSION} from PyPI (about a minute, once)\n`);
  const pip = join(folder, 'bin', 'pip');
  await installStep(python, ['-m', 'venv', folder]);
  await installStep(pip, ['install', '--quiet', `litellm==${VERSION}`]);
  const needs = await installStep(join(folder, 'bin', 'python'), ['-c', PRINT_NEEDS]);
  await installStep(pip, ['install', '--quiet', ...needs.trim().split('\n')]);
  writeFileSync(join(folder, 'whole'), VERSION);
  return program;
}

async function installStep(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(command, args, { timeoutMs: INSTALL_MS });
  if (code !== 0)
    throw new ServiceError(`LiteLLM could not be installed:\n${output}`, 'Check pip and the network.');
  return output;
}
