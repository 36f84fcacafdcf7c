/** The requests of a run, by seed alone: the same seed plans the same requests. */
import type { GenerationRequest } from '../../../contracts/generation.ts';
import { createRandom, pick, type Random } from '../../harness/random.ts';
import { madeUpSchema } from './made-up-schema.ts';

export const TENANTS = ['acme', 'globex', 'initech'] as const;
export type Tenant = (typeof TENANTS)[number];

const USERS_PER_TENANT = 3;
/** Kinds of provider fault. */
const PROVIDER_FAULTS = [
  'cut',
  'status',
  'in-band-error',
  'empty',
  'stall',
  'reset',
  'malformed-chunk',
  'missing-terminal',
  'slow-first-token',
  'no-usage',
  'error-after-first-event',
] as const;

/**
 * How often each kind comes, as shares. A flight and a queue are several requests at once; bursts and flights cost the
 * most, so that they are rarer than what they share the machine with.
 */
const SHARES = {
  /** Text of every length, at every wire. */
  plain: 8,
  /** One of a few questions, which the cache or another generation may answer. */
  shared: 4,
  /** Thousands of tokens at up to 2,000 a second: backlogs of several appends. */
  burst: 3,
  tools: 4,
  json: 4,
  reasoning: 2,
  /** Many identical prompts at once. */
  flight: 2,
  /** More requests at once than a provider's key admits: some must wait for room. */
  queue: 1,
  /** Its Idempotency-Key is sent again after its log has expired. */
  reused: 2,
  /** Deleted while it runs, or soon after. */
  deleted: 2,
  /** A second turn follows. */
  conversation: 2,
} as const;
export type RequestKind = keyof typeof SHARES;

export type Sharing = 'user' | 'tenant';

export interface PlannedRequest {
  readonly index: number;
  readonly kind: RequestKind;
  /** Unlike any other request's; its Idempotency-Key is made of it. */
  readonly name: string;
  readonly tenant: Tenant;
  readonly user: string;
  /** Names the question in its prompt; requests of one mark ask the same. */
  readonly mark: string;
  readonly input: string;
  /** The rest of the body. */
  readonly body: Omit<GenerationRequest, 'input' | 'user' | 'stream'>;
  /** How long after the others of its group it is sent. */
  readonly beginAfterMs: number;
  readonly fault: {
    readonly kind: (typeof PROVIDER_FAULTS)[number];
    readonly afterTokens: number;
    readonly times: number;
  } | null;
  readonly cancelAfterMs: number | null;
  readonly deleteAfterMs: number | null;
  /** By which format the second turn is asked. */
  readonly secondTurn: 'messages' | 'previous_response_id' | null;
  readonly readers: 1 | 2;
  /** Another tenant tries to see it. */
  readonly isProbed: boolean;
}

/** A provider whose key admits few requests at a time. */
export const LIMITED_PROVIDER = 'simulated-limited';
const WIRES = ['simulated', 'simulated-messages', 'simulated-chat', 'simulated-google', 'simulated-cohere'];
/** Of the providers that every config has. */
export const BUILT_IN_MODELS = WIRES.map((provider) => `${provider}/sim-large`);
export const MODELS = [...BUILT_IN_MODELS, `${LIMITED_PROVIDER}/sim-large`];

/** Who may be given whose cached answers. */
export function sharingOf(seed: number): Sharing {
  return seed % 2 === 0 ? 'tenant' : 'user';
}

/** Whether Temporal's payloads are encrypted. */
export function isEncrypted(seed: number): boolean {
  return seed % 3 === 0;
}

/** Requests that come at once: one, or those of a flight or of a queue. */
export function planRequests(seed: number, index: number): readonly PlannedRequest[] {
  const random = createRandom(seed * 100_003 + index);
  const kind = pickKind(random);
  const plan = planCommon(seed, index, kind, random);
  switch (kind) {
    case 'flight':
      return planFlight(seed, plan, random);
    case 'queue':
      return planQueue(plan, random);
    default:
      return [{ ...plan, ...PLANNERS[kind](seed, plan, random) }];
  }
}

function pickKind(random: Random): RequestKind {
  const kinds = Object.entries(SHARES) as [RequestKind, number][];
  let left = random.between(
    1,
    kinds.reduce((sum, [, share]) => sum + share, 0),
  );
  for (const [kind, share] of kinds) {
    left -= share;
    if (left <= 0) return kind;
  }
  return 'plain';
}

const oneIn = (random: Random, of: number) => random.between(1, of) === 1;

/** What any kind may have. */
function planCommon(seed: number, index: number, kind: RequestKind, random: Random): PlannedRequest {
  const tenant = pick(random, TENANTS);
  // The first user of a tenant is at its budget's cap most of the time: what a kind is for would not be reached.
  const user = random.between(kind === 'plain' || kind === 'shared' ? 1 : 2, USERS_PER_TENANT);
  const mark = `request-${index};`;
  return {
    index,
    kind,
    name: String(index),
    tenant,
    user: `${tenant}-user-${user}`,
    mark,
    input: promptOf(
      seed,
      tenant,
      mark,
      `tokens=${pick(random, [20, 60, 150, 300, 500])} ${pace(random, 15)}`,
    ),
    body: { cache: 'off', maxOutputTokens: 600 },
    beginAfterMs: 0,
    fault: oneIn(random, 4) ? planFault(random, 2) : null,
    cancelAfterMs: oneIn(random, 8) ? random.between(0, 3_000) : null,
    deleteAfterMs: null,
    secondTurn: null,
    readers: oneIn(random, 3) ? 2 : 1,
    isProbed: oneIn(random, 8),
  };
}

type Planner = (seed: number, common: PlannedRequest, random: Random) => Partial<PlannedRequest>;

const PLANNERS: Readonly<Record<Exclude<RequestKind, 'flight' | 'queue'>, Planner>> = {
  plain: (_, { body }, random) => ({
    body: {
      ...body,
      ...modelFor(random, WIRES.slice(0, 2)),
      ...(oneIn(random, 8) ? { maxOutputTokens: 50 } : {}),
      ...(oneIn(random, 12) ? { deadlineMs: random.between(100, 6_000) } : {}),
    },
  }),
  shared: (seed, { body }, random) => {
    const question = random.between(1, sharingOf(seed) === 'tenant' ? 12 : 4);
    const mark = `shared-${question};`;
    // The same for all tenants; any other prompt holds what only its tenant may see.
    const input = `Story ${mark} [[sim tokens=${40 + question * 5} delay_ms=5]]`;
    return { mark, input, body: { ...body, cache: 'on' }, cancelAfterMs: null };
  },
  burst: (seed, { tenant, mark }, random) => ({
    input: promptOf(seed, tenant, mark, burstOf(random)),
    body: {
      cache: 'off',
      maxOutputTokens: 8_000,
      ...modelFor(random, ['simulated', 'simulated', 'simulated-messages']),
    },
    readers: 1,
    isProbed: false,
  }),
  tools: (seed, { tenant, mark }, random) => ({
    input: promptOf(
      seed,
      tenant,
      mark,
      `tool=record_order calls=${random.between(1, 3)} say=${pick(random, [0, 0, 12])} ${pace(random, 8)}`,
    ),
    body: {
      cache: 'off',
      maxOutputTokens: 4_000,
      ...modelFor(random, WIRES),
      tools: [{ name: 'record_order', parameters: madeUpSchema(random) }],
    },
    fault: oneIn(random, 3) ? planFault(random, 2) : null,
  }),
  json: (seed, { tenant, mark }, random) => ({
    input: promptOf(seed, tenant, mark, pace(random, 8)),
    body: {
      cache: 'off',
      maxOutputTokens: 4_000,
      ...modelFor(random, WIRES),
      output: { name: 'order', schema: madeUpSchema(random) },
    },
    fault: oneIn(random, 3) ? planFault(random, 2) : null,
  }),
  reasoning: (seed, { tenant, mark, body }, random) => ({
    input: promptOf(
      seed,
      tenant,
      mark,
      `reasoning=${random.between(5, 60)} tokens=${random.between(20, 150)} ${pace(random, 15)}`,
    ),
    body: { ...body, ...modelFor(random, WIRES.slice(0, 3)) },
    fault: oneIn(random, 3) ? planFault(random, 2) : null,
  }),
  reused: (seed, { tenant, mark }, random) => ({
    input: promptOf(seed, tenant, mark, `tokens=${random.between(20, 120)} delay_ms=4`),
    fault: null,
    cancelAfterMs: null,
  }),
  deleted: (_, { body }, random) => ({
    body: { ...body, cache: 'on' },
    fault: null,
    cancelAfterMs: null,
    deleteAfterMs: random.between(0, 4_000),
    isProbed: false,
  }),
  conversation: (_, { body }, random) => ({
    body: { ...body, ...modelFor(random, WIRES) },
    cancelAfterMs: null,
    secondTurn: pick(random, ['messages', 'previous_response_id'] as const),
  }),
};

/** One who leads, and some who ask the same while it is at work. */
function planFlight(seed: number, common: PlannedRequest, random: Random): readonly PlannedRequest[] {
  const { tenant, name, index } = common;
  const mark = `flight-${index};`;
  const directive = oneIn(random, 4)
    ? burstOf(random)
    : `tokens=${random.between(80, 250)} ${pace(random, 15)}`;
  const input = promptOf(seed, tenant, mark, directive);
  const body = { cache: 'on', maxOutputTokens: 8_000, model: 'simulated/sim-large' } as const;
  // The first call is the leader's. The provider reports what `empty` costs, so that the bill is exact.
  const fault = oneIn(random, 2) ? null : planFault(random, 1, ['empty', 'empty', 'in-band-error', 'cut']);
  const leader = {
    ...common,
    mark,
    input,
    body,
    fault,
    cancelAfterMs: null,
    isProbed: false,
    readers: 1 as const,
  };
  const members = Array.from({ length: random.between(2, 5) }, (_, place): PlannedRequest => {
    const user = random.between(2, USERS_PER_TENANT);
    const isShort = oneIn(random, 3);
    return {
      ...leader,
      name: `${name}.${place + 1}`,
      user: sharingOf(seed) === 'tenant' || oneIn(random, 3) ? `${tenant}-user-${user}` : leader.user,
      body: isShort ? { ...body, deadlineMs: random.between(150, 2_000) } : body,
      beginAfterMs: random.between(20, 1_200),
      fault: null,
      cancelAfterMs: !isShort && oneIn(random, 4) ? random.between(0, 2_500) : null,
    };
  });
  const isLeaderCancelled = oneIn(random, 6);
  return [{ ...leader, cancelAfterMs: isLeaderCancelled ? random.between(300, 2_500) : null }, ...members];
}

/** More than the key admits in its window. */
function planQueue(common: PlannedRequest, random: Random): readonly PlannedRequest[] {
  const { body, name, index, input, mark } = common;
  return Array.from({ length: 4 }, (_, place): PlannedRequest => {
    const own = `request-${index}.${place};`;
    return {
      ...common,
      name: `${name}.${place}`,
      mark: own,
      input: input.replace(mark, own),
      body: { ...body, model: `${LIMITED_PROVIDER}/sim-large` },
      fault: null,
      cancelAfterMs: oneIn(random, 6) ? random.between(0, 6_000) : null,
      isProbed: false,
      readers: 1,
    };
  });
}

function planFault(
  random: Random,
  times: number,
  kinds: readonly (typeof PROVIDER_FAULTS)[number][] = PROVIDER_FAULTS,
): PlannedRequest['fault'] {
  return { kind: pick(random, kinds), afterTokens: random.between(0, 60), times };
}

/** Without a model: the route's two candidates. */
function modelFor(random: Random, providers: readonly string[]): { model?: string } {
  const place = random.between(0, providers.length);
  return place === providers.length ? {} : { model: `${providers[place]}/sim-large` };
}

function pace(random: Random, most: number): string {
  return `delay_ms=${random.between(2, most)}`;
}

function burstOf(random: Random): string {
  return `tokens=${pick(random, [1_500, 3_000, 5_000])} delay_ms=${pick(random, ['0', '0.5', '0.5', '1'])}`;
}

function promptOf(seed: number, tenant: Tenant, mark: string, directive: string): string {
  return `Story ${mark} Secret of ${tenant}: ${secretOf(seed, tenant)}. [[sim script=mixed ${directive}]]`;
}

/** A word that stands in a tenant's prompts and nowhere else. */
export function secretOf(seed: number, tenant: Tenant): string {
  return `only-${tenant}-${(seed * 7_919 + tenant.length * 104_729).toString(36)}`;
}
