/** What an end says besides its reason. Its texts are in the log alone, never in workflow history. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** What a vendor says of an end besides its reason. */
export const endingSchema = z.object({
  stopSequence: z
    .string()
    .optional()
    .describe('The stop sequence that ended the answer, if the vendor says so'),
  refusal: z
    .object({
      text: z.string().optional().describe('Why, in the words of the model or its vendor'),
      category: z.string().optional(),
    })
    .optional()
    .describe('Only after a refusal; the text before it is kept'),
  vendorReason: z
    .string()
    .optional()
    .describe("The vendor's own reason, where it says more than finishReason"),
  appliedEdits: z
    .array(z.record(z.string(), z.unknown()))
    .max(LIMITS.itemsPerRequest)
    .optional()
    .describe('What Anthropic has left out of the conversation for this answer, as context_management asked'),
});
export type Ending = z.infer<typeof endingSchema>;

export function endingOf({ stopSequence, refusal, vendorReason, appliedEdits }: Ending): Ending {
  return {
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(vendorReason === undefined ? {} : { vendorReason }),
    ...(appliedEdits === undefined ? {} : { appliedEdits }),
  };
}
