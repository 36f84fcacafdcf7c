/** What is harmed, by seed alone: the same seed plans the same harm. */
import { createRandom, pick } from '../../harness/random.ts';
import type { WireFault } from '../../harness/tcp-proxy.ts';

export const PROCESS_KINDS = ['api', 'worker', 'temporal', 'redis', 'qdrant', 'provider', 'reader'] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];

export type Harm =
  | { readonly kind: 'kill'; readonly victim: ProcessKind; readonly place: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly victim: ProcessKind; readonly place: number; readonly forMs: number }
  | { readonly kind: 'cut'; readonly place: number; readonly fault: WireFault; readonly forMs: number }
  /** Redis is stopped for long; a worker is killed while it writes what has piled up, and again when it has resumed. */
  | {
      readonly kind: 'backlog';
      readonly place: number;
      readonly forMs: number;
      readonly killAfterMs: readonly [afterThaw: number, afterRestart: number];
    };

/** `afterMs` counts from the beginning of the harm before it. */
type PlannedHarm = Harm & { readonly afterMs: number };

/** Redis stands still for as long as two or three other harms together: one in so many keeps the load going. */
const ONE_IN_BACKLOGS = 12;

/** What comes as the `index`-th harm. `place` chooses among those of a kind, and among wires. */
export function planHarm(seed: number, index: number): PlannedHarm {
  const random = createRandom(seed * 200_003 + index);
  const kind = pick(random, ['kill', 'kill', 'stop', 'cut', 'cut'] as const);
  const afterMs = random.between(500, 4_000);
  const place = random.between(0, 999);
  const forMs = random.between(200, 6_000);
  // In turn, so that a short run has one too.
  if ((index + seed) % ONE_IN_BACKLOGS === 3) {
    const killAfterMs = [random.between(0, 250), random.between(100, 1_200)] as const;
    return { kind: 'backlog', place, afterMs, forMs: random.between(5_000, 10_000), killAfterMs };
  }
  if (kind === 'cut') {
    const faults = [
      { kind: 'drop' },
      { kind: 'reset' },
      { kind: 'break', afterBytes: random.between(1, 6_000) },
      { kind: 'delay', delayMs: random.between(20, 400) },
    ] as const;
    return { kind, place, forMs, afterMs, fault: pick(random, faults) };
  }
  // In turn, so that each kind has its share in a short run too.
  const victim = PROCESS_KINDS[(index + seed) % PROCESS_KINDS.length] ?? 'worker';
  if (kind === 'stop') return { kind, victim, place, forMs, afterMs };
  return { kind, victim, place, downMs: pick(random, [0, 0, 200, 2_000]), afterMs };
}
