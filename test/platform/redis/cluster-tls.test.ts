/** A cluster behind TLS, whose nodes are named by addresses and certified by a name, as in clouds. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import {
  createServer,
  getCACertificates,
  type PeerCertificate,
  type Server,
  setDefaultCACertificates,
} from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { placeOfUrls } from '../../../platform/config/redis-schema.ts';
import { clusterTls } from '../../../platform/redis/cluster-tls.ts';
import { openRedis } from '../../../platform/redis/open-redis.ts';
import { checkRedis } from '../../../tools/services/doctor/check-redis.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { type RedisCluster, startRedisCluster } from '../../../tools/services/redis-cluster.ts';

const authorities = getCACertificates('default');
let cluster: RedisCluster;
let server: Server;
let port: number;
beforeAll(async () => {
  port = await findFreePort();
  const args = ['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', String(port)];
  cluster = await startRedisCluster({ masters: 1, replicasOfEach: 0, args });
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  setDefaultCACertificates([...authorities, made.cert]);
  server = createServer({ key: made.private, cert: made.cert }, (client) => {
    const node = connect(cluster.nodes[0]?.port ?? 0, '127.0.0.1');
    // Either end may break off.
    Promise.all([pipeline(client, node), pipeline(node, client)]).catch(() => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  setDefaultCACertificates(authorities);
  server?.close();
  await cluster?.stop();
});

test('a node that is named by its address may have the certificate of the name in the URL', async () => {
  const place = placeOfUrls([`rediss://localhost:${port}`, `rediss://localhost:${port}`]);
  const errors: Error[] = [];
  const redis = await openRedis(place, { answerMs: 5_000, onError: (error) => errors.push(error) });
  try {
    await redis.set('ub:test', 'reached');
    expect([await redis.get('ub:test'), errors]).toEqual(['reached', []]);
  } finally {
    redis.destroy();
  }
  const found = await checkRedis({ ...loadConfig({}), redisPlace: place });
  expect(found.find(({ check }) => check === 'redis')).toMatchObject({ status: 'ok' });
});

test.each([
  ['127.0.0.1', 'cache.example.com', true],
  ['node-1.example.com', 'cache.example.com', false],
  ['127.0.0.1', 'other.example.com', false],
])('a node at %s with a certificate of %s is accepted: %s', (host, certified, isAccepted) => {
  const tls = clusterTls(['rediss://cache.example.com:10000', 'rediss://10.0.0.1:10000']);
  const certificate = { subject: { CN: certified }, subjectaltname: `DNS:${certified}` } as PeerCertificate;
  expect(tls.checkServerIdentity?.(host, certificate) === undefined).toBe(isAccepted);
});
