/**
 * Runs once per deployment that has no certificate: creates a self-signed one for localhost, for the front proxy.
 * An existing certificate is kept, so you can put yours in its place.
 *
 *   node tools/deploy/make-certificate.ts <folder> [<host name> ...]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { DAY_MS } from '../../contracts/time.ts';

const LIFE_MS = 365 * DAY_MS;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder for the certificate.');
const certificate = join(folder, 'front.crt');
if (!existsSync(certificate)) {
  const hosts = ['localhost', ...names];
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + LIFE_MS),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          ...hosts.map((value) => ({ type: DNS_NAME as 2, value })),
          { type: IP_ADDRESS as 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'front.key'), made.private, { mode: 0o600 });
  // HAProxy wants both in one file.
  writeFileSync(join(folder, 'front.pem'), `${made.cert}\n${made.private}`, { mode: 0o600 });
  // Last: where it is there, all are.
  writeFileSync(certificate, made.cert);
}
