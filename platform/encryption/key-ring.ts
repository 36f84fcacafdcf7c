/**
 * The keys that encrypt Temporal's payloads. The first one encrypts, all decrypt: to rotate, put a new key first, and
 * remove an old one when no history that uses it is stored any more.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../config/encryption-keys.ts';

const CIPHER = 'aes-256-gcm';
/** The nonce length of GCM. Random nonces are safe for about four billion encryptions per key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface KeyRing {
  /** Nonce, ciphertext and tag in one. */
  encrypt(plain: Uint8Array): { readonly keyId: string; readonly data: Uint8Array };
  /** Throws if the key is not in the ring or the data was changed. */
  decrypt(keyId: string, data: Uint8Array): Uint8Array;
}

export function createKeyRing(keys: readonly [EncryptionKey, ...EncryptionKey[]]): KeyRing {
  const [current] = keys;
  return {
    encrypt(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, current.secret, nonce, { authTagLength: TAG_BYTES });
      // The tag covers the id, so that it cannot be exchanged.
      cipher.setAAD(Buffer.from(current.id));
      const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { keyId: current.id, data };
    },
    decrypt(keyId, data) {
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) {
        throw new Error(
          `The key "${keyId}" is not in UNBROKEN_ENCRYPTION_KEYS; add it to read what it encrypted.`,
        );
      }
      const tagAt = data.length - TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, key.secret, data.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(keyId));
      decipher.setAuthTag(data.subarray(tagAt));
      return Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
    },
  };
}
