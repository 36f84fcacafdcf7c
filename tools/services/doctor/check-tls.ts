/**
 * Checks how the connections to Temporal, Redis and Qdrant are protected: a TLS handshake with each that uses TLS, how
 * long the certificates are valid, and whether anything leaves this network without TLS.
 */
import { X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { DAY_MS } from '../../../contracts/time.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { ANSWER_WITHIN_MS, error, type Finding, ok, warning, wordsOf } from './finding.ts';

const SOON_DAYS = 14;
const NODE_CA = 'Set NODE_EXTRA_CA_CERTS to the file of its certificate authority.';

/** A TLS server, and what this client brings. */
interface TlsServer {
  readonly host: string;
  readonly port: number;
  readonly servername?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ALPNProtocols?: string[];
}

interface Service {
  readonly name: 'temporal' | 'redis' | 'qdrant';
  /** Each node that the config names. */
  readonly servers: readonly TlsServer[];
  readonly hasTls: boolean;
  /** What to do if its certificate is not trusted. */
  readonly trustFix: string;
  /** How TLS is turned on. */
  readonly turnOn: string;
}

type Services = Pick<Config, 'temporal' | 'redisPlace' | 'qdrant'>;

export async function checkTls(config: Services): Promise<Finding[]> {
  const services = [temporalOf(config), redisOf(config), qdrantOf(config)];
  const findings = await Promise.all(services.map((service) => checkService(service)));
  return [...findings.flat(), ...clientCertificateOf(config)];
}

async function checkService(service: Service): Promise<Finding[]> {
  const check = `${service.name} tls`;
  if (service.hasTls)
    return await Promise.all(service.servers.map((server) => shakeHands(check, server, service.trustFix)));
  const open = service.servers.find(({ host }) => isPublic(host));
  if (open === undefined) return [];
  const found = `off, though ${open.host} is not on a private network: keys and prompts can be read on the way`;
  return [warning(check, found, service.turnOn)];
}

async function shakeHands(check: string, server: TlsServer, trustFix: string): Promise<Finding> {
  const where = `${server.host}:${server.port}`;
  try {
    const socket = await handshake(server);
    const { valid_to: until } = socket.getPeerCertificate();
    const protocol = socket.getProtocol() ?? 'TLS';
    socket.destroy();
    return validityOf(check, `${protocol} with ${where}, certificate`, until);
  } catch (problem) {
    return error(check, `${where}: ${wordsOf(problem)}`, fixOf(problem, trustFix));
  }
}

/** Resolves when the server's certificate is accepted. */
function handshake(server: TlsServer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const named = ipaddr.isValid(server.host) ? {} : { servername: server.host };
    const socket = connect({ ...named, ...server, timeout: ANSWER_WITHIN_MS }, () => resolve(socket));
    socket.once('timeout', () => socket.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS} ms`)));
    // Also after the handshake: a server that misses a client certificate says so only then.
    socket.on('error', reject);
  });
}

function fixOf(problem: unknown, trustFix: string): string {
  const code =
    typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : '';
  if (/ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|LEAF/.test(code)) return trustFix;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Name the server as its certificate does.';
  if (code === 'CERT_HAS_EXPIRED') return 'Renew the certificate of the server.';
  if (code.startsWith('ERR_SSL'))
    return 'That server does not speak TLS there: correct the port, or turn TLS off.';
  return 'Start it, or correct its address.';
}

function validityOf(check: string, what: string, until: string): Finding {
  const days = Math.floor((Date.parse(until) - Date.now()) / DAY_MS);
  const found = `${what} valid until ${new Date(until).toISOString().slice(0, 10)}`;
  if (days < 0) return error(check, found, 'It has expired: renew it.');
  return days < SOON_DAYS ? warning(check, found, 'Renew it soon.') : ok(check, found);
}

function clientCertificateOf({ temporal }: Services): Finding[] {
  const pair = temporal.tls === false ? undefined : temporal.tls.clientCertPair;
  if (pair === undefined) return [];
  const check = 'temporal client certificate';
  try {
    const certificate = new X509Certificate(pair.crt);
    return [
      validityOf(check, certificate.subject.replaceAll('\n', ', ') || 'without a name', certificate.validTo),
    ];
  } catch (problem) {
    return [error(check, wordsOf(problem), 'Correct TEMPORAL_TLS_CLIENT_CERT_PATH.')];
  }
}

function temporalOf({ temporal }: Services): Service {
  const { address, tls } = temporal;
  const [, host = address, port = '7233'] = /^(.+?)(?::(\d+))?$/.exec(address) ?? [];
  const server = { host: bare(host), port: Number(port), ALPNProtocols: ['h2'] };
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === false ? {} : tls;
  return {
    name: 'temporal',
    hasTls: tls !== false,
    servers: [
      {
        ...server,
        ...(serverNameOverride === undefined ? {} : { servername: serverNameOverride }),
        ...(serverRootCACertificate === undefined ? {} : { ca: serverRootCACertificate }),
        ...(clientCertPair === undefined ? {} : { cert: clientCertPair.crt, key: clientCertPair.key }),
      },
    ],
    trustFix: 'Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the file of its certificate authority.',
    turnOn: 'Set TEMPORAL_TLS=true, if that Temporal speaks TLS.',
  };
}

function redisOf({ redisPlace }: Services): Service {
  const urls = redisUrlsOf(redisPlace).map((url) => new URL(url));
  const servers = urls.map(({ hostname, port }) => ({ host: bare(hostname), port: Number(port || 6379) }));
  return {
    name: 'redis',
    // The first URL says how all servers of a cluster are reached.
    hasTls: urls[0]?.protocol === 'rediss:',
    servers,
    trustFix: NODE_CA,
    turnOn: 'Write rediss:// in REDIS_URL, if that Redis speaks TLS.',
  };
}

function redisUrlsOf(place: Services['redisPlace']): readonly string[] {
  if (place.kind === 'one') return [place.url];
  return place.kind === 'cluster' ? place.urls : place.sentinels;
}

function qdrantOf({ qdrant }: Services): Service {
  const { protocol, hostname, port } = new URL(qdrant.url);
  return {
    name: 'qdrant',
    hasTls: protocol === 'https:',
    servers: [{ host: bare(hostname), port: Number(port || (protocol === 'https:' ? 443 : 80)) }],
    trustFix: NODE_CA,
    turnOn: 'Write https:// in QDRANT_URL, if that Qdrant speaks TLS.',
  };
}

/** An IPv6 address without its brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** A name of one part, or under a domain that no public server has, is one of this network. */
export function isPublic(host: string): boolean {
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'unicast';
  return host.includes('.') && !/\.(?:local|localhost|internal|svc|home\.arpa|test)$|\.svc\./.test(host);
}
