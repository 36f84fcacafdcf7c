/**
 * Encrypts the payloads that Temporal stores: arguments, results, failures, heartbeats and summaries. Metadata names
 * the key. The format is that of Temporal's samples, so their tools can read it with the same key.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { EncryptionKey } from '../config/encryption-keys.ts';
import { createKeyRing } from './key-ring.ts';

const ENCODING = 'binary/encrypted';
const stored = proto.temporal.api.common.v1.Payload;

export function createPayloadCodec(keys: readonly [EncryptionKey, ...EncryptionKey[]]): PayloadCodec {
  const ring = createKeyRing(keys);
  const encode = (payload: Payload): Payload => {
    const { keyId, data } = ring.encrypt(stored.encode(payload).finish());
    return { metadata: { encoding: bytes(ENCODING), 'encryption-key-id': bytes(keyId) }, data };
  };
  const decode = (payload: Payload): Payload => {
    if (text(payload.metadata?.['encoding']) !== ENCODING) return payload;
    const plain = ring.decrypt(
      text(payload.metadata?.['encryption-key-id']),
      payload.data ?? new Uint8Array(),
    );
    return stored.decode(plain);
  };
  return {
    encode: async (payloads) => payloads.map(encode),
    // Payloads from before encryption was enabled stay readable.
    decode: async (payloads) => payloads.map(decode),
  };
}

function bytes(value: string): Uint8Array {
  return Buffer.from(value);
}

function text(value: Uint8Array | null | undefined): string {
  return Buffer.from(value ?? []).toString();
}
