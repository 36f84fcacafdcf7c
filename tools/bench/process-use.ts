/** CPU time, memory and open files of processes, from /proc; only Linux has it. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Ticks of /proc are a hundredth of a second on every Linux that Node runs on. */
const TICK_MS = 10;

interface ProcessUse {
  /** User and system time since the process began. */
  readonly cpuMs: number;
  readonly residentMiB: number;
}

/** The sums over the processes. */
export function useOf(pids: readonly number[]): ProcessUse {
  let cpuMs = 0;
  let residentMiB = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces, so fields are counted after it: utime is the 12th, stime the 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuMs += (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    residentMiB += Number(resident ?? 0) / 1024;
  }
  return { cpuMs, residentMiB };
}

/** Open file descriptors: files, sockets, pipes and timers. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Size of an open file of the process, found by how its path ends; NaN where it has none. */
export function openFileBytes(pid: number, ending: string): number {
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const path = targetOf(pid, fd);
    if (path?.endsWith(ending) === true) return statSync(path).size;
  }
  return Number.NaN;
}

/** Undefined where it was closed meanwhile. */
function targetOf(pid: number, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}
