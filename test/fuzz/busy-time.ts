/**
 * How long the event loop of a process has worked, as the kernel counts it: time on a processor of its main thread
 * alone. A machine that is busy with others adds nothing to it, and neither does work that was given to another thread.
 */
import { existsSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1_000_000;

/** Only Linux tells it. */
export const CAN_MEASURE = existsSync('/proc/self/schedstat');

/** Milliseconds since its start; null where the process is gone. */
export function busyMs(pid: number): number | null {
  try {
    const [ns] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
    return Number(ns) / NS_PER_MS;
  } catch {
    return null;
  }
}
