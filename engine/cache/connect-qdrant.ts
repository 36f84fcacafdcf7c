/** Connects to the Qdrant that the config names. */
import { QdrantClient } from '@qdrant/js-client-rest';

export interface QdrantPlace {
  /** With its port. */
  readonly url: string;
  readonly apiKey?: string | undefined;
}

interface QdrantCalls {
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Given a URL, the client drops its path, and takes port 6333 for 80 and 443. Behind a proxy, Qdrant may have them, so
 * the client gets each part of the URL.
 */
export function connectQdrant(
  { url, apiKey }: QdrantPlace,
  { timeoutMs, headers = {} }: QdrantCalls,
): QdrantClient {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isTls = protocol === 'https:';
  return new QdrantClient({
    host: hostname,
    https: isTls,
    port: Number(port) || (isTls ? 443 : 80),
    prefix: pathname.replace(/\/+$/, ''),
    timeout: timeoutMs,
    checkCompatibility: false,
    headers,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
}
