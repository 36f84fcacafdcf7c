import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import type { Config } from '../../../platform/config/load-config.ts';
import { judgeCopies } from '../../../tools/services/doctor/check-qdrant-cluster.ts';
import { checkTls, isPublic } from '../../../tools/services/doctor/check-tls.ts';

const DAY_MS = 24 * 3_600_000;
const servers: Server[] = [];
const trusted = new Map<number, Buffer>();

/** @returns the port of a TLS server whose certificate ends so many days from now. */
async function serve(days: number): Promise<number> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 30 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const server = createServer({ key: made.private, cert: made.cert });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  trusted.set(port, Buffer.from(made.cert));
  return port;
}

let longValid: number;
let soonInvalid: number;
let expired: number;
beforeAll(async () => {
  [longValid, soonInvalid, expired] = [await serve(90.5), await serve(5.5), await serve(-1)];
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function temporalTls(address: string, authority?: Buffer) {
  const tls = authority === undefined ? {} : { serverRootCACertificate: authority };
  const config = {
    temporal: { address, tls },
    redisPlace: { kind: 'one', url: 'redis://127.0.0.1:6379' },
    qdrant: { url: 'http://qdrant:6333' },
  } as unknown as Config;
  // Redis and Qdrant are on a private network, of which there is nothing to say.
  const [finding, ...others] = await checkTls(config);
  expect(others).toEqual([]);
  return finding;
}

test('a certificate is valid, soon invalid, expired or not trusted, each with its own fix', async () => {
  const check = (port: number) => temporalTls(`localhost:${port}`, trusted.get(port));
  expect(await check(longValid)).toMatchObject({ status: 'ok' });
  expect(await check(soonInvalid)).toMatchObject({ status: 'warning', fix: 'Renew it soon.' });
  expect(await check(expired)).toMatchObject({ status: 'error', fix: expect.stringContaining('Renew') });
  expect(await temporalTls(`localhost:${longValid}`)).toMatchObject({
    status: 'error',
    fix: expect.stringContaining('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
  });
  expect(await temporalTls(`127.0.0.1:${longValid}`, trusted.get(longValid))).toMatchObject({
    status: 'error',
    fix: 'Name the server as its certificate does.',
  });
});

test.each([
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['::1', false],
  ['redis', false],
  ['redis.unbroken.svc.cluster.local', false],
  ['cache.internal', false],
  ['8.8.8.8', true],
  ['unbroken.a1b2c.tmprl.cloud', true],
  ['redis-12345.c1.eu-west-1-1.ec2.redns.redis-cloud.com', true],
])('%s is on a public network: %s', (host, expected) => {
  expect(isPublic(host)).toBe(expected);
});

test('copies of stored answers are complete, too few, or stale', () => {
  const copies = (...states: string[]) => states.map((state, index) => ({ shard_id: index % 2, state }));
  const wanted = { replicationFactor: 2, shards: 2 };
  const judge = (...states: string[]) => judgeCopies('answers', copies(...states), wanted)[0];
  expect(judge('Active', 'Active', 'Active', 'Active')).toMatchObject({ status: 'ok' });
  expect(judge('Active', 'Active')).toMatchObject({
    status: 'warning',
    found: expect.stringContaining('asks for 4'),
  });
  expect(judge('Active', 'Dead', 'Active', 'Active')).toMatchObject({
    status: 'warning',
    found: expect.stringContaining('1 of 4 copies of shards are Dead'),
  });
});
