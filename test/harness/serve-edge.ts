/**
 * The relay in the runtime of its platform: `node test/harness/serve-edge.ts cloudflare|vercel <origin>`. Prints the
 * line of a process that is ready. What runs there is what would be deployed, bundled.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EdgeRuntime } from 'edge-runtime';
import { Miniflare } from 'miniflare';
import { build } from 'vite';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const [platform, origin = ''] = process.argv.slice(2);

interface Served {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const settingsSchema = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
});

async function bundle(entry: string, format: 'es' | 'iife'): Promise<string> {
  const built = await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: join(ROOT, entry), formats: [format], name: 'relay', fileName: 'relay' },
      rolldownOptions: { platform: 'neutral' },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  const chunk = first !== undefined && 'output' in first ? first.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error(`${entry} was not bundled`);
  return chunk.code;
}

async function serveCloudflare(): Promise<Served> {
  const settings = settingsSchema.parse(
    JSON.parse(withoutComments('clients/edge/cloudflare/wrangler.jsonc')),
  );
  const contents = await bundle('clients/edge/cloudflare/worker.ts', 'es');
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'relay.js', contents }],
    compatibilityDate: settings.compatibility_date,
    compatibilityFlags: settings.compatibility_flags,
    bindings: { ORIGIN: origin },
    durableObjects: { GENERATIONS: { className: 'Generation', useSQLite: true } },
    host: '127.0.0.1',
    port: 0,
  });
  return { url: (await miniflare.ready).origin, stop: () => miniflare.dispose() };
}

async function serveVercel(): Promise<Served> {
  const runtime = new EdgeRuntime({
    initialCode: await bundle('test/harness/vercel-entry.ts', 'iife'),
    extend: (context) => Object.assign(context, { process: { env: { UNBROKEN_ORIGIN: origin } } }),
  });
  // The package's own server never learns that a viewer has left.
  const server = createServer((request, response) => {
    dispatch(runtime, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function dispatch(runtime: EdgeRuntime, request: IncomingMessage, response: ServerResponse) {
  const { method = 'GET', url = '/', headers } = request;
  const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const body = method === 'GET' || method === 'HEAD' ? null : await text(request);
  const address = `http://${headers.host}${url}`;
  const answer = await runtime.dispatchFetch(address, { method, headers: sent, body });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.flushHeaders();
  const reader = answer.body?.getReader();
  response.once('close', () => reader?.cancel());
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    if (!response.write(part.value)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

function withoutComments(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replace(/^\s*\/\/.*$/gm, '');
}

const served = await (platform === 'cloudflare' ? serveCloudflare() : serveVercel());
process.stdout.write(`${JSON.stringify({ ready: true, url: served.url, pid: process.pid })}\n`);
process.once('SIGTERM', async () => {
  await served.stop();
  process.exit(0);
});
