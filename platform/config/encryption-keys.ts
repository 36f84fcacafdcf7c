/** `UNBROKEN_ENCRYPTION_KEYS`: `id:base64` of 32 bytes, separated by commas; the first encrypts, all decrypt. */
import { z } from 'zod';

export interface EncryptionKey {
  /** Stored unencrypted beside the data. */
  readonly id: string;
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;
const ENTRY = /^([A-Za-z0-9_.-]{1,64}):([A-Za-z0-9+/]+={0,2})$/;

/** Errors do not repeat the text, which would be a secret. */
export const encryptionKeysSchema = z.string().transform((written, context): readonly EncryptionKey[] => {
  const keys = written.split(',').map((entry): EncryptionKey | null => {
    const [, id, encoded] = ENTRY.exec(entry.trim()) ?? [];
    const secret = Buffer.from(encoded ?? '', 'base64');
    return id === undefined || secret.length !== SECRET_BYTES ? null : { id, secret };
  });
  const known = keys.filter((key) => key !== null);
  const places = keys.flatMap((key, index) => (key === null ? [index + 1] : []));
  if (places.length > 0) {
    context.addIssue({
      code: 'custom',
      message: `entry ${places.join(', ')}: expected id:key, the key being 32 bytes as base64 (openssl rand -base64 32)`,
    });
  } else if (new Set(known.map(({ id }) => id)).size < known.length) {
    context.addIssue({ code: 'custom', message: 'two keys have the same id' });
  }
  return known;
});
