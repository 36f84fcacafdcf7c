import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { NativeConnection } from '@temporalio/worker';
import { sharedWorkerOptions } from '../../worker/shared-options.ts';
import { projectFiles, readProjectFile } from '../house/project-files.ts';

/** The options of each `Worker.create` in a source, as far as their first line with a name. */
function creationsIn(source: string): string[] {
  return [...source.matchAll(/\bWorker\.create\(([^,]*),/g)].map(([, first]) => (first ?? '').trim());
}

describe('every Temporal worker of the product', () => {
  test('begins with the options that all of them share', () => {
    // The bench has a worker of a peer.
    const isProduct = (path: string) => !path.startsWith('test/') && !path.startsWith('tools/bench/');
    const sources = projectFiles('.ts').filter(isProduct);
    const creations = sources.flatMap((path) =>
      creationsIn(readProjectFile(path)).map((first) => `${path}: ${first.replace(/\s+/g, ' ')}`),
    );
    expect(creations).toEqual([
      'worker/create-worker.ts: { ...shared',
      'worker/waiting-rooms.ts: { ...shared',
      'worker/webhook-worker.ts: { ...shared',
    ]);
  });

  test('one that does not is found', () => {
    expect(creationsIn('await Worker.create({ connection, taskQueue })')).toEqual(['{ connection']);
    expect(creationsIn('Worker.create(options, more)')).toEqual(['options']);
  });

  test('reads encrypted payloads where a key is set, and needs no converter where none is', async () => {
    const connection = { isStandIn: true } as unknown as NativeConnection;
    const temporal = { namespace: 'here' };
    const secret = randomBytes(32);
    const encrypted = await sharedWorkerOptions(
      connection,
      { temporal, encryptionKeys: [{ id: '2026', secret }] },
      null,
    );
    expect(encrypted).toMatchObject({ connection, namespace: 'here' });
    expect(encrypted.dataConverter?.payloadCodecs).toHaveLength(1);
    const plain = await sharedWorkerOptions(connection, { temporal, encryptionKeys: [] }, null);
    expect(plain).toEqual({ connection, namespace: 'here' });
  });
});
