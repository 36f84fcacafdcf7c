/**
 * What the Gemini API demands. Sources, all at ai.google.dev/gemini-api/docs: "Function calling", "Image
 * understanding", "Generating content" (API reference); and its errors for the names of functions.
 */
import { isWithin } from '../../../contracts/seed.ts';
import { mediaViolations } from './media.ts';
import type { VendorRules } from './rule.ts';
import { sharedNameViolations } from './tool-names.ts';
import { toolResultViolations } from './tool-results.ts';
import { fitToolParameters, withReferencesAlone } from './tool-schema.ts';

const STOP_SEQUENCES = 5;
const PARAMETERS = { takesAnyDraft: true, needsItems: false, hasBareReferences: true } as const;
const TOOLS_OR_JSON = /gemini-[12]/;
const SEEDS = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const MEDIA = {
  imageTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'],
  images: 3_600,
} as const;

export const googleRules: VendorRules = {
  toolName: { pattern: /^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/, maxChars: 64 },
  *violations({ model, input }) {
    yield* toolResultViolations(input.messages);
    yield* sharedNameViolations(input);
    yield* mediaViolations(input.messages, MEDIA);
    if (input.output !== undefined && input.tools !== undefined && TOOLS_OR_JSON.test(model)) {
      yield { field: 'output', demand: 'cannot be combined with tools before Gemini 3' };
    }
    if ((input.stop?.length ?? 0) > STOP_SEQUENCES) {
      yield { field: 'stop', demand: `must have at most ${STOP_SEQUENCES} sequences` };
    }
    if (input.seed !== undefined && !isWithin(input.seed, ...SEEDS)) {
      yield { field: 'seed', demand: 'must be a signed integer of 32 bits' };
    }
  },
  fit({ input }) {
    const { tools, dropped } = fitToolParameters(input.tools, PARAMETERS);
    const fitted = tools === input.tools || tools === undefined ? input : { ...input, tools };
    const { output } = input;
    if (output?.schema === undefined) return { input: fitted, dropped };
    return {
      input: { ...fitted, output: { ...output, schema: withReferencesAlone(output.schema) } },
      dropped,
    };
  },
};
