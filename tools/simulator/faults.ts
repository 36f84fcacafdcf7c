/** Faults on command. Each applies to the next `times` calls that it matches. */
import { z } from 'zod';

const wireNames = ['openai', 'openai-chat', 'anthropic', 'google', 'cohere'] as const;
/** `openai` is the Responses API. */
export type WireName = (typeof wireNames)[number];

/** The wire families of the config beside our names for them. */
const ALIASES: Readonly<Record<string, WireName>> = {
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
};

export const faultSchema = z.strictObject({
  kind: z
    .enum([
      'status',
      'reset',
      'no-answer',
      'slow-first-token',
      'cut',
      'stall',
      'malformed-chunk',
      'in-band-error',
      'error-after-first-event',
      'missing-terminal',
      'empty',
      'context-length',
      'content-filter',
      'refusal',
      'refuse-prefill',
      'no-usage',
      'wrong-usage',
      // `ignore-continuation`: the model begins the answer again, whatever it was asked to continue.
      'nondeterministic',
      'refuse-stream',
      'ignore-continuation',
    ])
    .default('status'),
  /** A part of the prompt. */
  match: z.string().optional(),
  /** The wire, or the wire family as the config names it. */
  wire: z
    .enum([...wireNames, 'openai-responses', 'anthropic-messages'])
    .transform((wire) => ALIASES[wire] ?? (wire as WireName))
    .optional(),
  model: z.string().optional(),
  /** The API key of the call. */
  key: z.string().optional(),
  times: z.int().positive().default(1),
  afterTokens: z.int().nonnegative().default(0),
  status: z.int().default(500),
  retryAfterSeconds: z.number().nonnegative().optional(),
  /** Sent with a status, such as x-ratelimit-remaining-requests. */
  headers: z.record(z.string(), z.string()).default({}),
  delayMs: z.int().nonnegative().default(3_000),
});
export type Fault = z.infer<typeof faultSchema>;

export interface FaultyCall {
  readonly wire: WireName;
  readonly model: string;
  readonly prompt: string;
  readonly apiKey: string;
}

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  take(call: FaultyCall): Fault | null;
}

export function createFaults(): Faults {
  let waiting: Fault[] = [];
  return {
    add: (fault) => waiting.push(fault),
    clear: () => {
      waiting = [];
    },
    take({ wire, model, prompt, apiKey }) {
      const index = waiting.findIndex(
        (fault) =>
          (fault.wire ?? wire) === wire &&
          (fault.model ?? model) === model &&
          (fault.key ?? apiKey) === apiKey &&
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
