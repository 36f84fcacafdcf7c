import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { createPayloadCodec } from '../../../platform/encryption/payload-codec.ts';

const key = (id: string) => ({ id, secret: randomBytes(32) });
const [old, fresh] = [key('2025'), key('2026')];
const value = { generationId: 'gen_1', outputTokens: 12 };
const plain = defaultPayloadConverter.toPayload(value) as Payload;
const read = (payload: Payload | undefined) =>
  payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);

describe('an encrypted payload', () => {
  test('says nothing but its key, and is the same value again', async () => {
    const codec = createPayloadCodec([fresh]);
    const [encoded] = await codec.encode([plain]);
    const bytes = Buffer.from(encoded?.data ?? []);
    expect(bytes.includes('gen_1')).toBe(false);
    expect(Object.keys(encoded?.metadata ?? {}).sort()).toEqual(['encoding', 'encryption-key-id']);
    const decoded = await codec.decode(encoded === undefined ? [] : [encoded]);
    expect(read(decoded[0])).toEqual(value);
  });

  test('is never the same twice', async () => {
    const encoded = await createPayloadCodec([fresh]).encode([plain, plain]);
    expect(encoded[0]?.data).not.toEqual(encoded[1]?.data);
  });

  test('of an old key is read while that key is in the ring, and the new key encrypts', async () => {
    const before = await createPayloadCodec([old]).encode([plain]);
    const rotated = createPayloadCodec([fresh, old]);
    expect(read((await rotated.decode(before))[0])).toEqual(value);
    const after = await rotated.encode([plain]);
    expect(Buffer.from(after[0]?.metadata?.['encryption-key-id'] ?? []).toString()).toBe('2026');
    await expect(createPayloadCodec([fresh]).decode(before)).rejects.toThrow('"2025" is not in UNBROKEN_');
  });

  test('that was changed, cut or given the name of another key is refused', async () => {
    const codec = createPayloadCodec([fresh, old]);
    const [encoded] = await codec.encode([plain]);
    const data = Buffer.from(encoded?.data ?? []);
    const flipped = Buffer.from(data);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const metadata = encoded?.metadata ?? {};
    const renamed = { ...metadata, 'encryption-key-id': Buffer.from('2025') };
    for (const bad of [
      { metadata, data: flipped },
      { metadata, data: data.subarray(0, -1) },
      { metadata, data: Buffer.alloc(0) },
      { metadata: renamed, data },
    ]) {
      await expect(codec.decode([bad])).rejects.toThrow();
    }
  });

  test('from before encryption is passed through', async () => {
    expect(await createPayloadCodec([fresh]).decode([plain])).toEqual([plain]);
  });
});

describe('UNBROKEN_ENCRYPTION_KEYS', () => {
  const base64 = (bytes: number) => randomBytes(bytes).toString('base64');
  const load = (keys: string) => loadConfig({ UNBROKEN_ENCRYPTION_KEYS: keys }).encryptionKeys;

  test('lists keys, the first one first', () => {
    expect(load(`b:${base64(32)}, a:${base64(32)}`).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(loadConfig({}).encryptionKeys).toEqual([]);
  });

  test.each([
    ['a key that is too short', base64(16), 'entry 1: expected id:key'],
    ['no id', base64(32), 'entry 1'],
    ['a second one that is none', `a:${base64(32)},b:secret-text`, 'entry 2'],
    ['two of the same id', `a:${base64(32)},a:${base64(32)}`, 'the same id'],
  ])('with %s is refused by an error that does not repeat it', (_, keys, reason) => {
    const refusal = (() => {
      try {
        return String(load(keys));
      } catch (error) {
        return String(error);
      }
    })();
    expect(refusal).toContain('UNBROKEN_ENCRYPTION_KEYS');
    expect(refusal).toContain(reason);
    for (const entry of keys.split(',')) expect(refusal).not.toContain(entry.slice(2));
  });
});
