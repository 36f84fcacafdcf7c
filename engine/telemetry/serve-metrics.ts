/**
 * Serves `/metrics`, `/healthz` and `/readyz` of a process on a separate port, which is not public. Temporal's SDK
 * serves its own metrics at a second address on this machine; they are added to the same page.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addressUrl } from '../../platform/address-url.ts';
import type { Metrics } from './metrics.ts';

const TEMPORAL_MS = 2_000;

interface MetricsPage {
  readonly url: string;
  stop(): void;
}

interface PageSettings {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Whether the process can do its work. */
  readonly isReady: () => boolean | Promise<boolean>;
  /** Where Temporal's SDK serves its metrics. */
  readonly temporalUrl?: string | undefined;
}

export async function serveMetrics(settings: PageSettings): Promise<MetricsPage> {
  const { metrics, temporalUrl, isReady, host, port } = settings;
  const answer = async (path: string): Promise<[status: number, type: string, body: string]> => {
    if (path === '/metrics') {
      const texts = await Promise.all([
        metrics.registry.metrics(),
        temporalUrl ? readTemporal(temporalUrl) : '',
      ]);
      return [200, metrics.registry.contentType, texts.join('\n')];
    }
    if (path === '/healthz') return [200, 'text/plain', 'ok\n'];
    if (path === '/readyz')
      return (await isReady()) ? [200, 'text/plain', 'ok\n'] : [503, 'text/plain', 'not ready\n'];
    return [404, 'text/plain', 'See /metrics, /healthz and /readyz.\n'];
  };
  const server = createServer((request, response) => {
    answer((request.url ?? '').split('?')[0] ?? '').then(
      ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : 'failed'),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  // The server does not keep the process alive.
  server.unref();
  return { url: addressUrl(host, (server.address() as AddressInfo).port), stop: () => server.close() };
}

/** Omits Temporal's metrics while they cannot be read, so that ours are still served. */
async function readTemporal(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TEMPORAL_MS) });
    return response.ok ? await response.text() : '';
  } catch (error) {
    return `# Temporal's SDK did not answer: ${error instanceof Error ? error.name : 'unknown'}\n`;
  }
}
