/** Reads how Temporal is reached. The variables are those of Temporal's own CLI and SDKs. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

type PemKind = 'CERTIFICATE' | 'PRIVATE KEY';

const pem = (kind: PemKind) =>
  z
    .string()
    .refine(
      (text) => new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text),
      `expected PEM with a block "-----BEGIN ${kind}-----"`,
    )
    .transform((text) => Buffer.from(text));

const pemFile = (kind: PemKind) => z.string().transform(readOrExplain).pipe(pem(kind)).optional();

function readOrExplain(path: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The reason names the path; the content is never part of it.
    const message = `cannot be read: ${error instanceof Error ? error.message : error}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
}

/** A name, an IPv4 address, or an IPv6 address in brackets: what Temporal's SDK takes. */
const ADDRESS = /^(?:\[[\da-f.:]+\]|[^\s:/]+)(?::\d{1,5})?$/i;

export const temporalEnvironment = {
  TEMPORAL_ADDRESS: z
    .string()
    .trim()
    .regex(ADDRESS, 'expected host:port, without https:// (TEMPORAL_TLS=true turns TLS on)')
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected printable characters without spaces')
    .optional(),
  TEMPORAL_TLS: z.stringbool().optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: pemFile('CERTIFICATE'),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: pem('CERTIFICATE').optional(),
  TEMPORAL_TLS_CLIENT_CERT_PATH: pemFile('CERTIFICATE'),
  TEMPORAL_TLS_CLIENT_CERT_DATA: pem('CERTIFICATE').optional(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: pemFile('PRIVATE KEY'),
  TEMPORAL_TLS_CLIENT_KEY_DATA: pem('PRIVATE KEY').optional(),
};

type TemporalEnvironment = z.output<z.ZodObject<typeof temporalEnvironment>>;

/** In the form of Temporal's SDK. */
interface TemporalTls {
  readonly serverNameOverride?: string;
  /** Absent: the authorities that this machine trusts. */
  readonly serverRootCACertificate?: Buffer;
  readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
}

/** One server of Temporal, as a connection needs it. */
export interface TemporalServer {
  readonly address: string;
  /** false: no TLS. */
  readonly tls: TemporalTls | false;
  /** Never logged. */
  readonly apiKey: string | undefined;
}

/** What is contradictory in these variables, with the fix; undefined where nothing is. */
export function temporalProblem(env: TemporalEnvironment): string | undefined {
  const { TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS: isOn, TEMPORAL_ADDRESS: address } = env;
  for (const name of ['SERVER_CA_CERT', 'CLIENT_CERT', 'CLIENT_KEY'] as const) {
    if (env[`TEMPORAL_TLS_${name}_PATH`] !== undefined && env[`TEMPORAL_TLS_${name}_DATA`] !== undefined)
      return `TEMPORAL_TLS_${name}_PATH and TEMPORAL_TLS_${name}_DATA are both set; unset one of them.`;
  }
  if ((certOf(env) === undefined) !== (keyOf(env) === undefined))
    return 'A client certificate needs its key: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or neither.';
  if (isOn === false && hasTlsSetting(env))
    return 'TEMPORAL_TLS is false, but a variable TEMPORAL_TLS_... is set; unset one of the two.';
  if (isOn === false && apiKey !== undefined && !isThisMachine(address))
    return `TEMPORAL_TLS is false, so TEMPORAL_API_KEY would be sent to ${address} unencrypted; unset TEMPORAL_TLS.`;
  return undefined;
}

/** As for Temporal's CLI, an API key or any setting of TLS turns TLS on. */
export function temporalServer(env: TemporalEnvironment): TemporalServer {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS: isOn } = env;
  const hasTls = isOn ?? (apiKey !== undefined || hasTlsSetting(env));
  return { address, apiKey, tls: hasTls ? tlsOf(env) : false };
}

/** For the first start, which knows no config yet. The variables were checked before. */
export function readTemporalServer(environment: Readonly<Record<string, string | undefined>>): {
  readonly server: TemporalServer;
  readonly namespace: string;
} {
  const named = Object.keys(temporalEnvironment).map((name) => [name, environment[name] || undefined]);
  const env = z.object(temporalEnvironment).parse(Object.fromEntries(named));
  return { server: temporalServer(env), namespace: env.TEMPORAL_NAMESPACE };
}

function tlsOf(env: TemporalEnvironment): TemporalTls {
  const serverNameOverride = env.TEMPORAL_TLS_SERVER_NAME;
  const authority = env.TEMPORAL_TLS_SERVER_CA_CERT_PATH ?? env.TEMPORAL_TLS_SERVER_CA_CERT_DATA;
  const crt = certOf(env);
  const key = keyOf(env);
  return {
    ...(serverNameOverride === undefined ? {} : { serverNameOverride }),
    ...(authority === undefined ? {} : { serverRootCACertificate: authority }),
    ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
  };
}

function certOf(env: TemporalEnvironment): Buffer | undefined {
  return env.TEMPORAL_TLS_CLIENT_CERT_PATH ?? env.TEMPORAL_TLS_CLIENT_CERT_DATA;
}

function keyOf(env: TemporalEnvironment): Buffer | undefined {
  return env.TEMPORAL_TLS_CLIENT_KEY_PATH ?? env.TEMPORAL_TLS_CLIENT_KEY_DATA;
}

function hasTlsSetting(env: TemporalEnvironment): boolean {
  return Object.keys(tlsOf(env)).length > 0;
}

function isThisMachine(address: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(address);
}
