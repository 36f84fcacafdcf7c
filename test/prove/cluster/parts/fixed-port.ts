/**
 * Ports for processes that are killed and come back: below those from which the kernel takes the ports of outgoing
 * connections, so none of these gets the port of a process that is down. Temporal stores the port of a member in two
 * bytes with a sign, so it has to be below 32768 as well.
 */
import { randomInt } from 'node:crypto';
import { isPortFree } from '../../../../tools/services/ports.ts';

const LEAST = 20_000;
const BEYOND = 32_000;
const taken = new Set<number>();

export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(LEAST, BEYOND);
    if (taken.has(port) || !(await isPortFree(port))) continue;
    taken.add(port);
    return port;
  }
}
