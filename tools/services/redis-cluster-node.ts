/** One server of a Redis Cluster: its process, which can be killed, frozen and restarted. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { askNode } from './ask-redis-node.ts';
import { LOOPBACK } from './ports.ts';
import type { Report } from './programs/service-error.js';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';

const HEALTHY_MS = 60_000;

/** One server of the cluster; after a restart it has the same ports and data. */
export interface ClusterNode {
  readonly port: number;
  readonly url: string;
  pid(): number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  isRunning(): boolean;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  restart(): Promise<void>;
}

interface NodePlan {
  readonly port: number;
  /** The servers talk to each other here. The default, port + 10000, may be too high for a free port. */
  readonly busPort: number;
  readonly executable: string;
  /** After this silence the others take it for dead. */
  readonly nodeTimeoutMs?: number;
  /** More arguments for the server. */
  readonly args?: readonly string[];
  readonly dataDir: string;
  readonly report: Report;
}

export class Node implements ClusterNode {
  readonly port: number;
  readonly busPort: number;
  readonly #plan: NodePlan;
  #running: RunningProcess | undefined;
  #isFrozen = false;

  constructor(plan: NodePlan) {
    this.port = plan.port;
    this.busPort = plan.busPort;
    this.#plan = plan;
  }

  get url(): string {
    return `redis://${LOOPBACK}:${this.port}`;
  }

  pid(): number {
    return this.#running?.pid ?? -1;
  }

  isRunning(): boolean {
    return this.#running !== undefined;
  }

  isAwake(): boolean {
    return this.#running !== undefined && !this.#isFrozen;
  }

  async kill(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#isFrozen = false;
    process.kill(running.pid, 'SIGKILL');
    await running.exited;
    // Forgets the process.
    await running.stop();
  }

  freeze(): void {
    process.kill(this.pid(), 'SIGSTOP');
    this.#isFrozen = true;
  }

  thaw(): void {
    if (this.#isFrozen) process.kill(this.pid(), 'SIGCONT');
    this.#isFrozen = false;
  }

  async restart(): Promise<void> {
    await this.stop();
    const { executable, dataDir, report, nodeTimeoutMs = 1_500, args = [] } = this.#plan;
    const name = `redis-${this.port}`;
    const folder = join(dataDir, name);
    mkdirSync(folder, { recursive: true });
    const settings = {
      port: this.port,
      bind: LOOPBACK,
      dir: folder,
      save: '',
      appendonly: 'yes',
      appendfsync: 'no',
      'maxmemory-policy': 'noeviction',
      'cluster-enabled': 'yes',
      'cluster-port': this.busPort,
      'cluster-node-timeout': nodeTimeoutMs,
      // A replica of a test may be far behind, and must be promoted all the same.
      'cluster-replica-validity-factor': 0,
      'repl-diskless-sync-delay': 0,
    };
    const flags = Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, String(value)]);
    const running = await runProcess({
      name,
      command: executable,
      args: [...flags, ...args],
      dataDir,
      report,
    });
    this.#running = running;
    const limits = { deadlineMs: HEALTHY_MS, fix: 'Read its log.' };
    await untilHealthy(name, running, limits, async () => (await this.ask('PING')) === 'PONG');
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    // A frozen process takes no SIGTERM.
    if (this.#isFrozen) process.kill(running.pid, 'SIGCONT');
    this.#isFrozen = false;
    await running.stop();
  }

  ask(...command: (string | number)[]): Promise<unknown> {
    return askNode(this.url, command.map(String));
  }

  id(): Promise<string> {
    return this.ask('CLUSTER', 'MYID').then(String);
  }
}
