/**
 * Seals what only a vendor can read of its model's thoughts, so that clients can keep it. A seal is encrypted for its
 * tenant and names the provider and the account that issued its content: no other tenant's seal can be opened, none can
 * be changed, and its content reaches no other provider.
 */
import { z } from 'zod';
import type { WireFamily } from '../../platform/config/schema.ts';
import type { ScriptRedis } from '../../platform/redis/lua-script.ts';
import type { ReasoningData } from '../providers/provider.ts';
import { TenantCipher } from './tenant-cipher.ts';

/** Whose thoughts they are. */
interface SealOwner {
  readonly tenant: string;
  readonly provider: string;
  /** The id of the key of the call: each key may belong to another account. null: whichever, the provider has one. */
  readonly account: string | null;
}

export interface ReasoningSeals {
  seal(owner: SealOwner, data: ReasoningData): Promise<string>;
  /** @returns null if it was changed, or another owner's. */
  open(owner: SealOwner, sealed: string): Promise<ReasoningData | null>;
}

/** Either of the two marks a seal: one that was changed at an end must not be taken for a vendor's own value. */
const PREFIX = 'ubr1_';
const SUFFIX = '_1rbu';

const contentSchema = z.object({
  provider: z.string(),
  account: z.string().nullable(),
  wire: z.custom<WireFamily>((wire) => typeof wire === 'string'),
  callId: z.string().optional(),
  value: z.record(z.string(), z.unknown()),
});

/** Whether a value was sealed here, rather than issued by a vendor to its own client. */
export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && (value.startsWith(PREFIX) || value.endsWith(SUFFIX));
}

export class RedisReasoningSeals implements ReasoningSeals {
  readonly #cipher: TenantCipher;

  constructor(redis: ScriptRedis) {
    this.#cipher = new TenantCipher(redis, { purpose: 'reasoning', prefix: PREFIX, suffix: SUFFIX });
  }

  seal({ tenant, provider, account }: SealOwner, data: ReasoningData): Promise<string> {
    return this.#cipher.seal(tenant, { provider, account, ...data });
  }

  async open({ tenant, provider, account }: SealOwner, sealed: string): Promise<ReasoningData | null> {
    const { data: content } = contentSchema.safeParse(await this.#cipher.open(tenant, sealed));
    if (content === undefined || content.provider !== provider) return null;
    if (account !== null && content.account !== account) return null;
    const { wire, callId, value } = content;
    return { wire, value, ...(callId === undefined ? {} : { callId }) };
  }
}
