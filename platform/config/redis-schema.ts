/** Where Redis is: one server, a cluster, or sentinels that name the master. */
import { z } from 'zod';

const LIST = 16;

const URL_ERROR =
  'expected redis://host:port, or rediss:// for TLS; in a password write # / ? % as %23 %2F %3F %25';

/** What Redis' client would refuse with an error that names no setting. */
const redisUrl = z
  .url({ protocol: /^rediss?$/, error: URL_ERROR, abort: true })
  .refine(isLoginReadable, URL_ERROR)
  .refine(hasDatabase, 'expected the number of a database after the host, or nothing: redis://host:port/0');

function isLoginReadable(text: string): boolean {
  const { username, password } = new URL(text);
  try {
    return [username, password].every((part) => decodeURIComponent(part) !== undefined);
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function hasDatabase(text: string): boolean {
  return /^\/?\d*$/.test(new URL(text).pathname);
}

/** `REDIS_URL`: one URL, also of a socket (`unix:///path`), or several nodes of one cluster. */
export const redisUrlsSchema = z
  .string()
  .transform(splitUrls)
  .pipe(z.union([z.array(redisUrl).min(1).max(LIST), z.tuple([z.url({ protocol: /^unix$/, abort: true })])]));

/** A password may contain a comma, so only a comma before the next URL counts. */
export function splitUrls(text: string): string[] {
  return text.split(/,(?=\s*rediss?:\/\/)/).map((url) => url.trim());
}

export const redisSchema = z
  .strictObject({
    cluster: z
      .array(redisUrl)
      .min(1)
      .max(LIST)
      .optional()
      .describe('Some nodes of a Redis Cluster; the others are found through them. REDIS_URL overrides it.'),
    sentinel: z
      .strictObject({
        master: z.string().min(1).describe('The name under which the sentinels know the master.'),
        urls: z.array(redisUrl).min(1).max(LIST).describe('The sentinels.'),
        passwordEnv: z
          .string()
          .min(1)
          .optional()
          .describe('The environment variable with the password of the sentinels.'),
        tls: z.boolean().default(false).describe('Whether master and replicas need TLS.'),
      })
      .optional()
      .describe('Sentinels that say which server is master. REDIS_URL overrides it.'),
    username: z.string().min(1).optional(),
    passwordEnv: z
      .string()
      .min(1)
      .optional()
      .describe('The environment variable with the password of `cluster`, or of the master of `sentinel`.'),
    waitForReplicas: z
      .strictObject({
        count: z.int().min(1).max(LIST).describe('Replicas of each master that must have a write.'),
        withinMs: z
          .int()
          .min(10)
          .max(60_000)
          .default(1_000)
          .describe('How long a write waits for them; then it fails, and is retried.'),
      })
      .optional()
      .describe('Logs, budgets, keys and prompts count as written once replicas have them.'),
  })
  .refine(({ cluster, sentinel }) => cluster === undefined || sentinel === undefined, {
    path: ['sentinel'],
    message: 'set either redis.cluster or redis.sentinel, not both',
  });

/** With users and passwords in the URLs. Never logged. */
export type RedisPlace =
  | { readonly kind: 'one'; readonly url: string }
  | { readonly kind: 'cluster'; readonly urls: readonly string[] }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly string[];
      readonly master: string;
      /** User, password, TLS and database of the master; host and port are those that the sentinels name. */
      readonly serverUrl: string;
    };

const DEFAULT_URL = 'redis://127.0.0.1:6379';

/**
 * @param urls of `REDIS_URL`; undefined if it is not set.
 * @param secretOf the value of an environment variable that the key of the config names; throws if it is not set.
 */
export function redisPlaceOf(
  urls: readonly string[] | undefined,
  { cluster, sentinel, username, passwordEnv }: z.output<typeof redisSchema>,
  secretOf: (key: string, variable: string | undefined) => string | undefined,
): RedisPlace {
  if (urls !== undefined) return placeOfUrls(urls);
  const login = { username, password: secretOf('redis.passwordEnv', passwordEnv) };
  if (cluster !== undefined) return { kind: 'cluster', urls: cluster.map((url) => withLogin(url, login)) };
  if (sentinel === undefined) return { kind: 'one', url: DEFAULT_URL };
  const sentinelLogin = { password: secretOf('redis.sentinel.passwordEnv', sentinel.passwordEnv) };
  return {
    kind: 'sentinel',
    sentinels: sentinel.urls.map((url) => withLogin(url, sentinelLogin)),
    master: sentinel.master,
    serverUrl: withLogin(`redis${sentinel.tls ? 's' : ''}://master:6379`, login),
  };
}

/** One URL is one server, several are nodes of a cluster. */
export function placeOfUrls(urls: readonly string[]): RedisPlace {
  const [url = DEFAULT_URL, ...more] = urls;
  return more.length === 0 ? { kind: 'one', url } : { kind: 'cluster', urls };
}

/** What the URL itself says comes first. */
function withLogin(
  url: string,
  login: { username?: string | undefined; password?: string | undefined },
): string {
  const parsed = new URL(url);
  if (parsed.username === '' && login.username !== undefined)
    parsed.username = encodeURIComponent(login.username);
  if (parsed.password === '' && login.password !== undefined)
    parsed.password = encodeURIComponent(login.password);
  return parsed.href;
}
