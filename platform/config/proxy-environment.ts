/**
 * Reads the proxy through which providers are reached. The names are Node's own: its `fetch`, which calls for
 * embeddings use, goes through the same one.
 */

export interface ProviderProxy {
  /** '': none. */
  readonly http: string;
  readonly https: string;
  /** Hosts that are reached without it, as `NO_PROXY` lists them. */
  readonly except: string;
}

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Lower case comes first, as in curl. */
const valueIn = (environment: Environment, name: string) =>
  environment[name.toLowerCase()] || environment[name] || '';

/** @returns null if calls go straight to providers. */
export function providerProxyOf(environment: Environment): ProviderProxy | null {
  const [http = '', https = ''] = NAMES.map((name) => valueIn(environment, name));
  if (!isSwitchedOn(environment) || (http === '' && https === '')) return null;
  return { http, https, except: valueIn(environment, 'NO_PROXY') };
}

/** What is wrong with a variable, without its value: it may hold a password. */
export function proxyProblem(environment: Environment): string | undefined {
  if (!isSwitchedOn(environment)) return undefined;
  const wrong = NAMES.find((name) => {
    const value = valueIn(environment, name);
    return value !== '' && !/^https?:$/.test(URL.parse(value)?.protocol ?? '');
  });
  return wrong && `${wrong}: expected a URL such as http://proxy.example.com:3128`;
}

/** A variable that names a proxy which no call uses, as Node wants it switched on. */
export function unusedProxy(environment: Environment): string | undefined {
  return isSwitchedOn(environment) ? undefined : NAMES.find((name) => valueIn(environment, name) !== '');
}

function isSwitchedOn(environment: Environment): boolean {
  return environment['NODE_USE_ENV_PROXY'] === '1';
}
