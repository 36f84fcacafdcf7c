/** The processes of the product and of its services, and the CPU that each has used. */
import type { SharedServices } from '../../test/harness/shared-services.ts';
import type { Stack } from '../../test/harness/stack.ts';
import { type ByProcess, PROCESSES } from './growth-row.ts';
import { useOf } from './process-use.ts';

export type Pids = Readonly<Record<(typeof PROCESSES)[number], number>>;

export function pidsOf(stack: Stack, { pidOf: { temporal, redis, qdrant } }: SharedServices): Pids {
  const [api, worker] = [stack.apis[0]?.pid(), stack.workers[0]?.pid()];
  const pids = { API: api, worker, Temporal: temporal, Redis: redis, Qdrant: qdrant };
  return mapped((name) => {
    const pid = pids[name];
    if (pid === undefined) throw new Error(`${name} is not a process of this run; unset what names another.`);
    return pid;
  });
}

export function cpuOf(pids: Pids): ByProcess {
  return mapped((name) => useOf([pids[name]]).cpuMs);
}

export function mapped(value: (name: (typeof PROCESSES)[number]) => number): ByProcess {
  return Object.fromEntries(PROCESSES.map((name) => [name, value(name)])) as ByProcess;
}
