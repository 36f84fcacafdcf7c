/** What is asked and what is harmed, by seed alone: the same seed plans the same requests and the same faults. */
import { createRandom, type Random } from '../../harness/random.ts';
import type { WireFault } from '../../harness/tcp-proxy.ts';

export const TENANTS = ['acme', 'globex', 'initech'] as const;
export type Tenant = (typeof TENANTS)[number];

const USERS_PER_TENANT = 3;
const SHARED_QUESTIONS = 12;
/** Kinds of fault of the provider; each meets two calls of one request. */
const PROVIDER_FAULTS = [
  ...(['cut', 'status', 'in-band-error', 'empty', 'stall', 'reset', 'malformed-chunk'] as const),
  ...(['missing-terminal', 'slow-first-token', 'no-usage', 'error-after-first-event'] as const),
];

export interface PlannedRequest {
  readonly index: number;
  readonly tenant: Tenant;
  readonly user: string;
  /** Names the request in its prompt; requests of one mark ask the same, and may be answered by the cache. */
  readonly mark: string;
  readonly input: string;
  /** Absent: the route's two candidates. */
  readonly model?: string;
  readonly cache: 'on' | 'off';
  readonly maxOutputTokens: number;
  readonly fault: { readonly kind: (typeof PROVIDER_FAULTS)[number]; readonly afterTokens: number } | null;
  readonly cancelAfterMs: number | null;
  readonly readers: 1 | 2;
  /** Another tenant tries to see it. */
  readonly isProbed: boolean;
}

export function planRequest(seed: number, index: number): PlannedRequest {
  const random = createRandom(seed * 100_003 + index);
  const one = (of: number) => random.between(1, of) === 1;
  const tenant = pick(random, TENANTS);
  const isShared = one(5);
  const question = random.between(1, SHARED_QUESTIONS);
  const tokens = isShared ? 40 + question * 5 : pick(random, [20, 60, 150, 300, 500]);
  const delayMs = isShared ? 5 : random.between(2, 15);
  // A shared question is the same for all tenants; any other holds what only its tenant may see.
  const mark = isShared ? `shared-${question};` : `request-${index};`;
  const secret = isShared ? '' : ` Secret of ${tenant}: ${secretOf(seed, tenant)}.`;
  const place = random.between(1, 3);
  const kind = pick(random, PROVIDER_FAULTS);
  const afterTokens = random.between(0, 60);
  return {
    index,
    tenant,
    user: `${tenant}-user-${random.between(1, USERS_PER_TENANT)}`,
    mark,
    input: `Story ${mark}${secret} [[sim tokens=${tokens} delay_ms=${delayMs}]]`,
    ...(isShared || place === 1
      ? {}
      : { model: place === 2 ? 'simulated/sim-large' : 'simulated-messages/sim-large' }),
    cache: isShared ? 'on' : 'off',
    maxOutputTokens: one(8) ? 50 : 600,
    fault: one(4) ? { kind, afterTokens } : null,
    cancelAfterMs: one(8) && !isShared ? random.between(50, 2_000) : null,
    readers: one(3) ? 2 : 1,
    isProbed: one(6),
  };
}

/** A word that stands in a tenant's prompts and nowhere else. */
export function secretOf(seed: number, tenant: Tenant): string {
  return `only-${tenant}-${(seed * 7_919 + tenant.length * 104_729).toString(36)}`;
}

export const PROCESS_KINDS = [
  ...(['api', 'worker', 'temporal', 'redis', 'qdrant', 'provider', 'reader'] as const),
];
export type ProcessKind = (typeof PROCESS_KINDS)[number];

export type Harm =
  | { readonly kind: 'kill'; readonly victim: ProcessKind; readonly place: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly victim: ProcessKind; readonly place: number; readonly forMs: number }
  | { readonly kind: 'cut'; readonly place: number; readonly fault: WireFault; readonly forMs: number };

/** `afterMs` counts from the beginning of the harm before it. */
export type PlannedHarm = Harm & { readonly afterMs: number };

/** What comes as the `index`-th harm. `place` chooses among those of a kind, and among wires. */
export function planHarm(seed: number, index: number): PlannedHarm {
  const random = createRandom(seed * 200_003 + index);
  const kind = pick(random, ['kill', 'kill', 'stop', 'cut', 'cut'] as const);
  const afterMs = random.between(500, 4_000);
  const place = random.between(0, 999);
  const forMs = random.between(200, 6_000);
  if (kind === 'cut') {
    const faults = [
      { kind: 'drop' },
      { kind: 'reset' },
      { kind: 'delay', delayMs: random.between(20, 400) },
    ] as const;
    return { kind, place, forMs, afterMs, fault: pick(random, faults) };
  }
  // In turn, so that each kind has its share in a short run too.
  const victim = PROCESS_KINDS[(index + seed) % PROCESS_KINDS.length] ?? 'worker';
  if (kind === 'stop') return { kind, victim, place, forMs, afterMs };
  return { kind, victim, place, downMs: pick(random, [0, 0, 200, 2_000]), afterMs };
}

function pick<Value>(random: Random, values: readonly [Value, ...Value[]] | readonly Value[]): Value {
  const value = values[random.between(0, values.length - 1)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
