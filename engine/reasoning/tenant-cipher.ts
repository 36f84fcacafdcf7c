/**
 * Seals what clients keep for us: encrypted for its tenant, with a key that no other purpose has. No other tenant's
 * seal can be opened, and none can be changed.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';

/** A seal begins with the prefix and ends with the suffix of its kind. */
interface SealKind {
  readonly purpose: string;
  readonly prefix: string;
  readonly suffix: string;
}

const CIPHER = 'aes-256-gcm';
/** The nonce length of GCM. Random nonces are safe for about four billion encryptions per key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;

/** The first process of an installation chooses the secret. KEYS secret. ARGV[1] a new one. -> {the secret} */
const SECRET = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return {redis.call('GET', KEYS[1])}
`);

export class TenantCipher {
  readonly #redis: ScriptRedis;
  readonly #kind: SealKind;
  #secret: Promise<Buffer> | null = null;

  constructor(redis: ScriptRedis, kind: SealKind) {
    this.#redis = redis;
    this.#kind = kind;
  }

  /** @param content any JSON value. */
  async seal(tenant: string, content: unknown): Promise<string> {
    const { prefix, suffix } = this.#kind;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, await this.#keyOf(tenant), nonce, { authTagLength: TAG_BYTES });
    const text = JSON.stringify(content);
    const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${prefix}${bytes.toString('base64url')}${suffix}`;
  }

  /** @returns undefined if it was changed, or is another tenant's. */
  async open(tenant: string, sealed: string): Promise<unknown> {
    const { prefix, suffix } = this.#kind;
    if (!sealed.startsWith(prefix) || !sealed.endsWith(suffix)) return undefined;
    return decrypt(await this.#keyOf(tenant), sealed.slice(prefix.length, -suffix.length));
  }

  async #keyOf(tenant: string): Promise<Uint8Array> {
    this.#secret ??= this.#load().catch((error: unknown) => {
      this.#secret = null;
      throw error;
    });
    const info = [this.#kind.purpose, tenant].join(' ');
    return new Uint8Array(hkdfSync('sha256', await this.#secret, '', info, SECRET_BYTES));
  }

  async #load(): Promise<Buffer> {
    const fresh = randomBytes(SECRET_BYTES).toString('base64');
    const [secret] = z
      .array(z.string())
      .parse(await runScript(this.#redis, SECRET, [REDIS_KEYS.reasoningSecret], [fresh]));
    return Buffer.from(secret ?? '', 'base64');
  }
}

function decrypt(key: Uint8Array, encoded: string): unknown {
  const bytes = Buffer.from(encoded, 'base64url');
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
