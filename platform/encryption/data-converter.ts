/** The data converter for Temporal's client and worker; undefined without a key: payloads are not encrypted. */
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config/load-config.ts';
import { onDisk } from '../on-disk.ts';
import { createPayloadCodec } from './payload-codec.ts';

/** The workflow bundle must contain it too, because workflows convert their own failures. */
export const FAILURE_CONVERTER = onDisk(join(import.meta.dirname, 'failure-converter.ts'));

export function createDataConverter({
  encryptionKeys,
}: Pick<Config, 'encryptionKeys'>): DataConverter | undefined {
  const [current, ...older] = encryptionKeys;
  if (current === undefined) return undefined;
  return {
    payloadCodecs: [createPayloadCodec([current, ...older])],
    failureConverterPath: FAILURE_CONVERTER,
  };
}
