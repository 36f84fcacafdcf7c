/** A web server that is not ours, such as an example's: started, awaited, killed and started again on its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { findFreePort } from '../../tools/services/ports.ts';
import { waitFor } from './wait-for.ts';

interface WebServerPlan {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The program and its arguments. */
  readonly command: (port: number) => readonly [string, ...string[]];
}

export interface WebServer {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it answers. */
  restart(): Promise<void>;
}

export async function startWebServer(plan: WebServerPlan): Promise<WebServer> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    const [program, ...args] = plan.command(port);
    const started = spawn(program, args, {
      cwd: plan.cwd,
      env: { ...process.env, ...plan.env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    const printed: string[] = [];
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (chunk) => printed.push(String(chunk)));
    const failed = new Promise<never>((_resolve, reject) => {
      started.once('error', reject);
      started.once('exit', () => reject(new Error(`${program} ended:\n${printed.join('')}`)));
    });
    // A later kill is no failure.
    failed.catch(() => undefined);
    await Promise.race([failed, waitFor(`an answer from ${program}`, () => answers(url))]);
  };
  process.once('exit', () => child?.kill('SIGKILL'));
  try {
    await start();
  } catch (error) {
    await kill();
    throw error;
  }
  return { url, kill, restart: start };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual' });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
