/** Installs the three packages into empty folders elsewhere, as their users do, and follows a generation with each. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BUFFER_BYTES = 64 * 1024 * 1024;

interface Elsewhere {
  /** An empty folder that exists. */
  readonly folder: string;
  /** The clone that the packages are made from. */
  readonly clone: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Packs a folder of the clone and installs the tarball. */
export async function installFromTarball({ folder, clone, env }: Elsewhere, source: string): Promise<void> {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  writeFileSync(join(folder, 'package.json'), '{"name":"elsewhere","private":true,"type":"module"}\n');
  const options = { env, maxBuffer: BUFFER_BYTES };
  await run('npm', ['pack', `./${source}`, '--silent', '--pack-destination', tarballs], {
    ...options,
    cwd: clone,
  });
  const [tarball = ''] = readdirSync(tarballs);
  await run('npm', ['install', '--no-audit', '--no-fund', '--silent', join(tarballs, tarball)], {
    ...options,
    cwd: folder,
  });
}

/** Builds the wheel and installs it into a fresh environment. @returns its Python. */
export async function installWheel({ folder, clone, env }: Elsewhere): Promise<string> {
  const python = join(folder, 'environment', 'bin', 'python');
  await run('python3', ['-m', 'venv', join(folder, 'environment')], { env });
  const source = join(clone, 'clients', 'python');
  await run(python, ['-m', 'pip', '--quiet', '--disable-pip-version-check', 'install', source], { env });
  return python;
}

/** A program of the user, in the folder where the package is installed. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs it to its end and resolves with its lines. `onLine` gets the number of lines so far. Throws on exit codes. */
export async function runLines(program: Program, onLine: (lines: number) => void): Promise<string[]> {
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: program.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => onLine(lines.push(line)));
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program.command} ended with ${code}:\n${complaints.join('\n')}`);
  return lines;
}

export const FOLLOW_JS = `
import { createClient } from '@unbroken/client';
const [, baseUrl, apiKey, input] = process.argv;
const client = createClient({ baseUrl, apiKey });
const events = await client.generate({ input, cache: 'off', maxOutputTokens: 400 });
for await (const event of events) console.log(JSON.stringify(event));
`;

export const FOLLOW_PYTHON = `
import json, sys
from unbroken import Unbroken
url, key, prompt = sys.argv[1:]
with Unbroken(url, api_key=key) as client:
    for event in client.generate(input=prompt, cache="off", max_output_tokens=400):
        shown = {"type": event.type, "seq": event.seq, "from": event.first}
        if event.type == "text-delta":
            shown["text"] = event.text
        print(json.dumps(shown), flush=True)
`;
