/** What Cohere's Chat API demands. Source: docs.cohere.com, "Chat with streaming (v2)"; "Image inputs"; the
 * types of its SDK (`ResponseFormatV2`). */
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isWithin } from '../../../contracts/seed.ts';
import { mediaViolations } from './media.ts';
import type { VendorRules } from './rule.ts';
import { toolResultViolations } from './tool-results.ts';
import { fitToolParameters, withOwnRoot } from './tool-schema.ts';

const STOP_SEQUENCES = 5;
const PARAMETERS = { takesAnyDraft: true, needsItems: false } as const;
/** The vendor takes 64 bits, its SDK a JavaScript number alone. */
const SEEDS = [0n, BigInt(Number.MAX_SAFE_INTEGER)] as const;
const MOST_TOP_P = 0.99;
const MOST_TOP_K = 500;
const MEDIA = { imageTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'], images: 20 } as const;

export const cohereRules: VendorRules = {
  toolName: { pattern: /^[a-zA-Z0-9_-]{1,64}$/, maxChars: 64 },
  *violations({ input }) {
    yield* toolResultViolations(input.messages);
    yield* mediaViolations(input.messages, MEDIA);
    if (input.output !== undefined && input.tools !== undefined) {
      yield { field: 'output', demand: 'cannot be combined with tools' };
    }
    if ((input.stop?.length ?? 0) > STOP_SEQUENCES) {
      yield { field: 'stop', demand: `must have at most ${STOP_SEQUENCES} sequences` };
    }
    if (input.seed !== undefined && !isWithin(input.seed, ...SEEDS)) {
      yield { field: 'seed', demand: `must be from 0 to ${Number.MAX_SAFE_INTEGER}` };
    }
    if ((input.topK ?? 0) > MOST_TOP_K) yield { field: 'topK', demand: `must be at most ${MOST_TOP_K}` };
    for (const field of ['frequencyPenalty', 'presencePenalty'] as const) {
      const value = input[field] ?? 0;
      if (value < 0 || value > 1) yield { field, demand: 'must be from 0 to 1' };
    }
  },
  fit({ input }) {
    const { output } = input;
    const { tools, dropped } = fitToolParameters(input.tools, PARAMETERS);
    // 1 means all tokens; the vendor's highest value means the same.
    const isAll = input.topP !== undefined && input.topP > MOST_TOP_P;
    const fitted: GenerationInput = {
      ...input,
      ...(isAll ? { topP: MOST_TOP_P } : {}),
      ...(tools === undefined ? {} : { tools }),
      ...(output?.schema === undefined ? {} : { output: { ...output, schema: withOwnRoot(output.schema) } }),
    };
    return { input: fitted, dropped };
  },
};
