/** The identity of this process, at Temporal and in its lease. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** Unique also where every container has the process id 1 and a restarted one keeps its host name. */
export function createProcessIdentity(): string {
  return `${process.pid}@${hostname()}/${randomUUID().slice(0, 8)}`;
}
