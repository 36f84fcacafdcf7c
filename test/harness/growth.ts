/** How work grows with its size, measured so that other work of the machine counts for little. */

const ROUNDS = 8;
/** What grows with the square stays far above it. */
const NEAR_LINEAR = 2.4;
/** Shorter runs are within the grain of the clock: the size grows until one takes so long. */
const LEAST_MS = 5;
const MOST_DOUBLINGS = 7;

/**
 * CPU time of the work at twice the size, divided by that at the size: 2 where it is linear, 4 where it grows with the
 * square. What else the machine does, and the collection of garbage, only ever add: so the quickest run of several
 * counts, and of several measurements the first that is near to linear.
 *
 * @param prepare gives the work for a size; what it does itself is not measured.
 */
export function growthOf(prepare: (size: number) => () => unknown, size: number): number {
  let once = prepare(size);
  let twice = prepare(size * 2);
  for (let doubled = 1; doubled <= MOST_DOUBLINGS && quickestMs(once) < LEAST_MS; doubled += 1) {
    once = twice;
    twice = prepare(size * 2 ** (doubled + 1));
  }
  let growth = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && growth > NEAR_LINEAR; round += 1) {
    growth = Math.min(growth, quickestMs(twice) / quickestMs(once));
  }
  return growth;
}

function quickestMs(work: () => unknown): number {
  const times = [1, 2, 3].map(() => cpuMsOf(work));
  return Math.min(...times);
}

/** CPU time that this process takes meanwhile: other work of the machine is not counted. */
export function cpuMsOf(work: () => unknown): number {
  const begunAt = process.cpuUsage();
  work();
  return cpuMsSince(begunAt);
}

export function cpuMsSince(begunAt: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begunAt);
  return (user + system) / 1_000;
}
