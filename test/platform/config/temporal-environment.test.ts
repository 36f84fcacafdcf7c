import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { connectionOptions } from '../../../platform/temporal/connection-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-temporal-'));
const certificate = join(folder, 'front.crt');
const key = join(folder, 'front.key');
const CLOUD = {
  TEMPORAL_ADDRESS: 'eu-west-1.aws.api.temporal.io:7233',
  TEMPORAL_NAMESPACE: 'unbroken.a1b2c',
};

beforeAll(() => {
  execFileSync(process.execPath, ['tools/deploy/make-certificate.ts', folder]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (environment: Record<string, string>) =>
  connectionOptions(loadConfig({ ...CLOUD, ...environment }).temporal);

describe('a connection to Temporal', () => {
  test('has no TLS by default, and has it with an API key or with any of its settings', () => {
    expect(optionsOf({})).toEqual({ address: CLOUD.TEMPORAL_ADDRESS, tls: false });
    expect(optionsOf({ TEMPORAL_TLS: 'true' }).tls).toEqual({});
    expect(optionsOf({ TEMPORAL_API_KEY: 'key' })).toMatchObject({ tls: {}, apiKey: 'key' });
    expect(optionsOf({ TEMPORAL_TLS_SERVER_NAME: 'temporal.test' }).tls).toEqual({
      serverNameOverride: 'temporal.test',
    });
  });

  test('goes to host and port; an address of another form is reported with the fix', () => {
    const addressOf = (address: string) => optionsOf({ TEMPORAL_ADDRESS: address }).address;
    for (const address of ['temporal', 'temporal:7233', '[::1]:7233', '10.0.0.1:7233'])
      expect(addressOf(`${address}\n`)).toBe(address);
    for (const address of ['https://temporal:7233', 'dns:///temporal', 'temporal:port', '::1'])
      expect(() => addressOf(address)).toThrow('TEMPORAL_ADDRESS: expected host:port, without https://');
  });

  test('brings its certificate and trusts the named authority, from files or from variables', () => {
    const [crt, pem] = [readFileSync(certificate), readFileSync(key)];
    const expected = { serverRootCACertificate: crt, clientCertPair: { crt, key: pem } };
    expect(
      optionsOf({
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificate,
        TEMPORAL_TLS_CLIENT_CERT_PATH: certificate,
        TEMPORAL_TLS_CLIENT_KEY_PATH: key,
      }).tls,
    ).toEqual(expected);
    expect(
      optionsOf({
        TEMPORAL_TLS_SERVER_CA_CERT_DATA: String(crt),
        TEMPORAL_TLS_CLIENT_CERT_DATA: String(crt),
        TEMPORAL_TLS_CLIENT_KEY_DATA: String(pem),
      }).tls,
    ).toEqual(expected);
  });

  test('sends no API key without TLS, except to this machine', () => {
    const plain = { TEMPORAL_API_KEY: 'secret-key', TEMPORAL_TLS: 'false' };
    expect(() => optionsOf(plain)).toThrow(/TEMPORAL_API_KEY would be sent to .* unencrypted; unset/);
    expect(() => optionsOf(plain)).not.toThrow(/secret-key/);
    expect(optionsOf({ ...plain, TEMPORAL_ADDRESS: '127.0.0.1:7233' })).toMatchObject({ tls: false });
  });
});

test.each([
  ['a certificate without its key', () => ({ TEMPORAL_TLS_CLIENT_CERT_PATH: certificate }), /needs its key/],
  [
    'a file and its content',
    () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificate, TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'x' }),
    /TEMPORAL_TLS_SERVER_CA_CERT_DATA: expected PEM/,
  ],
  [
    'two authorities',
    () => ({
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificate,
      TEMPORAL_TLS_SERVER_CA_CERT_DATA: readFileSync(certificate, 'utf8'),
    }),
    /are both set; unset one/,
  ],
  [
    'a file that is not there',
    () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'none.pem') }),
    /TEMPORAL_TLS_SERVER_CA_CERT_PATH: cannot be read: .*none\.pem/,
  ],
  [
    'a key in place of a certificate',
    () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: key }),
    /TEMPORAL_TLS_SERVER_CA_CERT_PATH: expected PEM with a block "-----BEGIN CERTIFICATE-----"/,
  ],
  [
    'TLS that is off and set',
    () => ({ TEMPORAL_TLS: 'false', TEMPORAL_TLS_SERVER_NAME: 'temporal.test' }),
    /unset one of the two/,
  ],
])('%s is refused with the fix', (_, environment, message) => {
  expect(() => optionsOf(environment() as Record<string, string>)).toThrow(message);
});
