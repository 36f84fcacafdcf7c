/** How far the long context of a prompt may be shortened. The question and the instructions are never shortened. */
import { z } from 'zod';

export const compressionSchema = z
  .union([
    z.literal('off'),
    z.strictObject({ keep: z.number().min(0.05).max(0.95).describe('Share of the context tokens.') }),
    z.strictObject({ targetTokens: z.int().min(64).describe('Tokens of the whole context.') }),
  ])
  .describe('How much of the context is kept; "off" (the default) changes nothing.');
export type CompressionTarget = Exclude<z.infer<typeof compressionSchema>, 'off'>;

export const compressionEngines = ['built-in', 'llmlingua-2'] as const;
export type CompressionEngine = (typeof compressionEngines)[number];
