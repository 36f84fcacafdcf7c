/**
 * `POST /v1/codec/decode`: decrypts payloads for Temporal's UI and CLI. They define the body: `payloads`, with bytes as
 * base64. Source: docs.temporal.io/codec-server.
 */
import type { PayloadCodec } from '@temporalio/common';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { limitedRecord } from '../../contracts/limited-record.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { parseBody } from '../http/read-request.ts';

const MOST_PAYLOADS = 10_000;
const payloadSchema = z.object({
  metadata: limitedRecord(z.string(), z.base64(), LIMITS.metadataKeys).default({}),
  data: z.base64().default(''),
});
export const payloadsSchema = z.object({ payloads: z.array(payloadSchema).max(MOST_PAYLOADS) });

export function decodePayloads({ codec }: { readonly codec: PayloadCodec | undefined }): RequestHandler {
  return async (request, response) => {
    const { payloads } = parseBody(request, payloadsSchema);
    const encoded = payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, bytes(value)])),
      data: bytes(data),
    }));
    const decoded = codec === undefined ? encoded : await decode(codec, encoded);
    response.json({
      payloads: decoded.map(({ metadata, data }) => ({
        metadata: Object.fromEntries(
          Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)]),
        ),
        data: base64(data),
      })),
    });
  };
}

/** @throws invalid_request for a key that is not in the ring, or data that was altered */
async function decode(codec: PayloadCodec, payloads: Parameters<PayloadCodec['decode']>[0]) {
  try {
    return await codec.decode(payloads);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new UnbrokenError('invalid_request', `A payload cannot be decrypted: ${reason}`);
  }
}

function bytes(encoded: string): Uint8Array {
  return Buffer.from(encoded, 'base64');
}

function base64(value: Uint8Array | null | undefined): string {
  return Buffer.from(value ?? []).toString('base64');
}
