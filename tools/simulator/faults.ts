/** Faults on command. Each applies to the next `times` calls that it matches. */
import { z } from 'zod';

const wireNames = ['openai', 'openai-chat', 'anthropic', 'google', 'cohere'] as const;
/** `openai` is the Responses API. */
export type WireName = (typeof wireNames)[number];

/** The wire families of the config, by the names that are used here. */
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
      'nondeterministic',
      'refuse-stream',
      // The model starts its answer over where it was asked to continue it.
      'ignore-continuation',
      // It says its last words again before it continues.
      'repeat-tail',
      // It starts over in other words.
      'paraphrase-continuation',
      // It says `text` in place of its answer.
      'says',
      // Nothing for `delayMs` after `afterTokens`.
      'silence',
      // Signs of life that hold nothing, every `delayMs`.
      'pings',
    ])
    .default('status'),
  /** A substring of the prompt. */
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
  text: z.string().default(''),
});
export type Fault = z.infer<typeof faultSchema>;

interface FaultyCall {
  readonly wire: WireName;
  readonly model: string;
  readonly prompt: string;
  readonly apiKey: string;
}

export class Faults {
  #waiting: Fault[] = [];

  add(fault: Fault): void {
    this.#waiting.push(fault);
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The first fault that matches the call, used up once; null for none. */
  take({ wire, model, prompt, apiKey }: FaultyCall): Fault | null {
    const index = this.#waiting.findIndex(
      (fault) =>
        (fault.wire ?? wire) === wire &&
        (fault.model ?? model) === model &&
        (fault.key ?? apiKey) === apiKey &&
        (fault.match === undefined || prompt.includes(fault.match)),
    );
    const fault = this.#waiting[index];
    if (fault === undefined) return null;
    if (fault.times > 1) this.#waiting[index] = { ...fault, times: fault.times - 1 };
    else this.#waiting.splice(index, 1);
    return fault;
  }
}
