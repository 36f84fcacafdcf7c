/** Seals a compacted conversation for its tenant: clients keep it and send it back, and no other tenant can use it. */
import { z } from 'zod';
import { COMPACTION_SEAL, compactionsIn } from '../../contracts/compaction.ts';
import type { Message } from '../../contracts/content.ts';
import type { ScriptRedis } from '../../platform/redis/lua-script.ts';
import { TenantCipher } from '../reasoning/tenant-cipher.ts';
import type { CompactedContext } from './compacted-context.ts';

export interface CompactionSeals {
  seal(tenant: string, context: CompactedContext): Promise<string>;
  /** @returns null if it was changed, or is another tenant's. */
  open(tenant: string, sealed: string): Promise<CompactedContext | null>;
}

/** Only this code writes what is inside a seal. */
const messages = z.array(z.custom<Message>((value) => typeof value === 'object' && value !== null));
const contextSchema = z.object({
  summary: z.string(),
  lead: messages,
  tail: messages,
  keepsUserMessages: z.boolean(),
});

export class RedisCompactionSeals implements CompactionSeals {
  readonly #cipher: TenantCipher;

  constructor(redis: ScriptRedis) {
    this.#cipher = new TenantCipher(redis, COMPACTION_SEAL);
  }

  seal(tenant: string, context: CompactedContext): Promise<string> {
    return this.#cipher.seal(tenant, context);
  }

  async open(tenant: string, sealed: string): Promise<CompactedContext | null> {
    return contextSchema.safeParse(await this.#cipher.open(tenant, sealed)).data ?? null;
  }
}

/** @returns what the compactions among the messages stand for; null for one that cannot be opened. */
export async function openCompactions(
  seals: Pick<CompactionSeals, 'open'>,
  tenant: string,
  conversation: readonly Message[],
): Promise<ReadonlyMap<string, CompactedContext> | null> {
  const opened = new Map<string, CompactedContext>();
  for (const sealed of compactionsIn(conversation)) {
    const context = opened.get(sealed) ?? (await seals.open(tenant, sealed));
    if (context === null) return null;
    opened.set(sealed, context);
  }
  return opened;
}
