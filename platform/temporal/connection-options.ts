/** How every connection to Temporal is opened, with the SDK's words: by the API, the workers and the tools. */

interface Server {
  readonly address: string;
  readonly tls: object | false;
  readonly apiKey: string | undefined;
}

/** For `Connection` and for `NativeConnection`. An API key never travels without TLS, except to this machine. */
export function connectionOptions<Tls extends object>({
  address,
  tls,
  apiKey,
}: Server & { readonly tls: Tls | false }) {
  return { address, tls, ...(apiKey === undefined ? {} : { apiKey }) };
}
