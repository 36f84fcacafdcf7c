/**
 * The bytes of an archived object: a line that names the format and the key, then JSON, compressed, and encrypted where
 * the installation encrypts what it stores elsewhere.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { EncryptionKey } from '../../platform/config/encryption-keys.ts';
import { createKeyRing } from '../../platform/encryption/key-ring.ts';

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

const FORMAT = 'unbroken-archive-1';
/** Instead of the id of a key. */
const PLAIN = '-';

export interface ObjectCodec {
  write(text: string): Promise<Uint8Array>;
  /** @throws Error if the bytes are not what this codec writes, or their key is not known. */
  read(bytes: Uint8Array): Promise<string>;
}

/** @param keys as for what Temporal stores; without any, objects are not encrypted. */
export function createObjectCodec(keys: readonly EncryptionKey[]): ObjectCodec {
  const [first, ...others] = keys;
  const ring = first === undefined ? null : createKeyRing([first, ...others]);
  return {
    async write(text) {
      const compressed = await compress(text);
      const { keyId, data } = ring?.encrypt(compressed) ?? { keyId: PLAIN, data: compressed };
      return Buffer.concat([Buffer.from(`${FORMAT} ${keyId}\n`), data]);
    },
    async read(bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const lineEnd = buffer.indexOf('\n');
      const [format, keyId] = buffer.subarray(0, Math.max(0, lineEnd)).toString().split(' ');
      if (format !== FORMAT || keyId === undefined) throw new Error('The object is not one of the archive.');
      const data = buffer.subarray(lineEnd + 1);
      if (keyId === PLAIN) return (await decompress(data)).toString();
      if (ring === null) throw new Error(`The key "${keyId}" is not in UNBROKEN_ENCRYPTION_KEYS.`);
      return (await decompress(ring.decrypt(keyId, data))).toString();
    },
  };
}
