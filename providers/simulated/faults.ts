/** Faults on command. Each applies to the next `times` calls that it matches. */
import { z } from 'zod';
import type { WireFamily } from '../../config/schema.ts';

export const faultSchema = z.strictObject({
  kind: z
    .enum([
      ...[
        'status',
        'reset',
        'no-answer',
        'slow-first-token',
        'cut',
        'stall',
        'malformed-chunk',
        'in-band-error',
      ],
      ...['missing-terminal', 'empty', 'context-length', 'content-filter', 'refuse-prefill', 'no-usage'],
      ...['nondeterministic', 'refuse-stream'],
    ] as const)
    .default('status'),
  /** A part of the prompt. */
  match: z.string().optional(),
  /** The vendor, or the wire family as the config names it. */
  wire: z
    .enum(['openai', 'anthropic', 'openai-responses', 'anthropic-messages'] satisfies (
      | 'openai'
      | 'anthropic'
      | WireFamily
    )[])
    .transform((wire) => (wire.startsWith('openai') ? 'openai' : 'anthropic'))
    .optional(),
  model: z.string().optional(),
  times: z.int().positive().default(1),
  afterTokens: z.int().nonnegative().default(0),
  status: z.int().default(500),
  retryAfterSeconds: z.number().nonnegative().optional(),
  delayMs: z.int().nonnegative().default(3_000),
});
export type Fault = z.infer<typeof faultSchema>;

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  take(call: { wire: 'openai' | 'anthropic'; model: string; prompt: string }): Fault | null;
}

export function createFaults(): Faults {
  let waiting: Fault[] = [];
  return {
    add: (fault) => waiting.push(fault),
    clear: () => {
      waiting = [];
    },
    take({ wire, model, prompt }) {
      const index = waiting.findIndex(
        (fault) =>
          (fault.wire ?? wire) === wire &&
          (fault.model ?? model) === model &&
          (fault.match === undefined || prompt.includes(fault.match)),
      );
      const fault = waiting[index];
      if (fault === undefined) return null;
      if (fault.times > 1) waiting[index] = { ...fault, times: fault.times - 1 };
      else waiting.splice(index, 1);
      return fault;
    },
  };
}
