/**
 * Seals what only a vendor can read of its model's thoughts, so that clients can keep it. A seal is encrypted for its
 * tenant and names the provider and the account that issued its content: no other tenant's seal can be opened, none can
 * be changed, and its content reaches no other provider.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { runScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { ReasoningData } from '../providers/provider.ts';

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

const CIPHER = 'aes-256-gcm';
/** The nonce length of GCM. Random nonces are safe for about four billion encryptions per key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;
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

/** The first process of an installation chooses the secret. KEYS secret. ARGV[1] a new one. -> {the secret} */
const SECRET = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return {redis.call('GET', KEYS[1])}
`);

/** Whether a value was sealed here, rather than issued by a vendor to its own client. */
export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && (value.startsWith(PREFIX) || value.endsWith(SUFFIX));
}

export class RedisReasoningSeals implements ReasoningSeals {
  readonly #redis: ScriptRedis;
  #secret: Promise<Buffer> | null = null;

  constructor(redis: ScriptRedis) {
    this.#redis = redis;
  }

  async seal({ tenant, provider, account }: SealOwner, data: ReasoningData): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, await this.#keyOf(tenant), nonce, { authTagLength: TAG_BYTES });
    const content = JSON.stringify({ provider, account, ...data });
    const bytes = Buffer.concat([nonce, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}${bytes.toString('base64url')}${SUFFIX}`;
  }

  async open({ tenant, provider, account }: SealOwner, sealed: string): Promise<ReasoningData | null> {
    const key = await this.#keyOf(tenant);
    const { data: content } = contentSchema.safeParse(decrypt(key, sealed));
    if (content === undefined || content.provider !== provider) return null;
    if (account !== null && content.account !== account) return null;
    const { wire, callId, value } = content;
    return { wire, value, ...(callId === undefined ? {} : { callId }) };
  }

  async #keyOf(tenant: string): Promise<Uint8Array> {
    this.#secret ??= this.#load().catch((error: unknown) => {
      this.#secret = null;
      throw error;
    });
    return new Uint8Array(hkdfSync('sha256', await this.#secret, '', `reasoning ${tenant}`, SECRET_BYTES));
  }

  async #load(): Promise<Buffer> {
    const fresh = randomBytes(SECRET_BYTES).toString('base64');
    const [secret] = z
      .array(z.string())
      .parse(await runScript(this.#redis, SECRET, [REDIS_KEYS.reasoningSecret], [fresh]));
    return Buffer.from(secret ?? '', 'base64');
  }
}

/** @returns undefined if it was changed, or encrypted with another key. */
function decrypt(key: Uint8Array, sealed: string): unknown {
  if (!sealed.startsWith(PREFIX) || !sealed.endsWith(SUFFIX)) return undefined;
  const bytes = Buffer.from(sealed.slice(PREFIX.length, -SUFFIX.length), 'base64url');
  const tagAt = bytes.length - TAG_BYTES;
  if (tagAt < NONCE_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(tagAt));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
    return JSON.parse(plain.toString('utf8'));
  } catch {
    return undefined;
  }
}
