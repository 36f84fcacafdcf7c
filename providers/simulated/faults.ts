/** Faults that a test orders: each applies to the next calls that it matches. */
import { z } from 'zod';

export const faultKinds = [
  'status',
  'reset',
  'no-answer',
  'slow-first-token',
  'cut',
  'stall',
  'malformed-chunk',
  'in-band-error',
  'missing-terminal',
  'empty',
  'context-length',
  'content-filter',
  'refuse-prefill',
  'refuse-stream',
  'no-usage',
  'nondeterministic',
] as const;

export const faultSchema = z.strictObject({
  match: z.string().optional().describe('A part of the prompt.'),
  wire: z.enum(['openai-responses', 'anthropic-messages']).optional(),
  model: z.string().optional(),
  times: z.int().positive().default(1),
  kind: z.enum(faultKinds).default('status'),
  afterTokens: z.int().nonnegative().default(0),
  status: z.int().min(400).max(599).default(500),
  retryAfterSeconds: z.number().nonnegative().optional(),
  delayMs: z.number().nonnegative().default(60_000),
});
export type Fault = z.output<typeof faultSchema>;
export type FaultKind = Fault['kind'];

export interface FaultTarget {
  readonly prompt: string;
  readonly wire: string;
  readonly model: string;
}

/** Faults of the connection: they can also meet a stream that is taken up again. */
const OF_CONNECTION: ReadonlySet<FaultKind> = new Set([
  'status',
  'reset',
  'no-answer',
  'cut',
  'stall',
  'malformed-chunk',
  'missing-terminal',
]);

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** The oldest fault that applies to this call; it is used up by one. */
  takeForCall(target: FaultTarget, isPrefill: boolean): Fault | null;
  takeForReattach(target: FaultTarget): Fault | null;
}

export function createFaults(): Faults {
  let waiting: { fault: Fault; left: number }[] = [];
  const take = (target: FaultTarget, applies: (kind: FaultKind) => boolean): Fault | null => {
    const found = waiting.find(({ fault }) => applies(fault.kind) && matches(fault, target));
    if (found === undefined) return null;
    found.left -= 1;
    waiting = waiting.filter(({ left }) => left > 0);
    return found.fault;
  };
  return {
    add: (fault) => {
      waiting.push({ fault, left: fault.times });
    },
    clear: () => {
      waiting = [];
    },
    takeForCall: (target, isPrefill) =>
      take(target, (kind) => kind !== 'refuse-stream' && (isPrefill || kind !== 'refuse-prefill')),
    takeForReattach: (target) => take(target, (kind) => kind === 'refuse-stream' || OF_CONNECTION.has(kind)),
  };
}

function matches(fault: Fault, { prompt, wire, model }: FaultTarget): boolean {
  return (
    (fault.match === undefined || prompt.includes(fault.match)) &&
    (fault.wire === undefined || fault.wire === wire) &&
    (fault.model === undefined || fault.model === model)
  );
}
