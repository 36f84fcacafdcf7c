/** How Qdrant keeps the stored answers, and how long it may take to delete them. */
import { z } from 'zod';
import { DEFAULTS } from '../../contracts/limits.ts';

/** The port that Qdrant's own clients take where a URL names none. */
const USUAL_PORT = 6333;

/** `QDRANT_URL`, always with its port: `URL` drops 80 and 443, and Qdrant's client takes 6333 for them. */
export const qdrantUrlSchema = z
  .url({ protocol: /^https?$/, error: 'expected http://host:port, or https:// for TLS' })
  .transform((text) => withPort(text.trim()));

function withPort(text: string): string {
  const [, origin = '', port, path = ''] =
    /^(https?:\/\/[^/?#]*?)(:\d+)?(\/[^?#]*)?(?:[?#].*)?$/i.exec(text) ?? [];
  return `${origin}${port ?? `:${USUAL_PORT}`}${path.replace(/\/+$/, '')}`;
}

/** A change of how a cluster keeps them holds for collections that are created later (docs/cluster.md). */
export const qdrantSchema = z.strictObject({
  replicationFactor: z
    .int()
    .min(1)
    .max(32)
    .optional()
    .describe(
      'Copies of each shard of the stored answers, on as many nodes; absent: Qdrant decides, with 1.',
    ),
  shardNumber: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('Shards of the stored answers; absent: Qdrant decides, with one for each node.'),
  writeConsistencyFactor: z
    .int()
    .min(1)
    .max(32)
    .optional()
    .describe('Copies that must have a write before it counts as done; absent: Qdrant decides, with 1.'),
  deleteMs: z
    .int()
    .min(1_000)
    .max(600_000)
    .default(DEFAULTS.qdrantDeleteMs)
    .describe('How long each call that deletes stored answers may take; then the request gets a 503'),
});
