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
    cpuMs += cpuMsIn(`/proc/${pid}/stat`);
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

/** User and system time of the first thread of a process, since it began. */
export function mainThreadCpuMs(pid: number): number {
  return cpuMsIn(`/proc/${pid}/task/${pid}/stat`);
}

/** A child of this process whose command line contains the text. */
export function childPid(command: string): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    if (ownCommand(name)?.includes(command) === true) return Number(name);
  }
  throw new Error(`no child of this process runs ${command}`);
}

/** Undefined of a process that is not a child of this one, or has ended meanwhile. */
function ownCommand(pid: string): string | undefined {
  try {
    const isOwn = Number(fieldsOf(`/proc/${pid}/stat`)[1]) === process.pid;
    return isOwn ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function cpuMsIn(path: string): number {
  const fields = fieldsOf(path);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The name in parentheses may hold spaces, so fields are counted after it: utime is the 12th, stime the 13th. */
function fieldsOf(path: string): string[] {
  const stat = readFileSync(path, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
