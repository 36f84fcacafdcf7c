/** Errors as vendors send them, read over HTTP by the vendors' SDKs. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Provider } from '../../../engine/providers/provider.ts';
import { adapterFor } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';
import { VENDOR_ACCOUNTS } from './vendor-accounts.ts';
import type { VendorErrorRow } from './vendor-error-row.ts';
import { VENDOR_ERRORS } from './vendor-errors.ts';
import { VENDOR_REFUSALS } from './vendor-refusals.ts';
import { MORE_REFUSALS } from './vendor-refusals-more.ts';
import { VENDOR_WORDS } from './vendor-words.ts';

const ROWS = [...VENDOR_ERRORS, ...VENDOR_REFUSALS, ...MORE_REFUSALS, ...VENDOR_WORDS, ...VENDOR_ACCOUNTS];
const WIRES = ['openai-chat', 'anthropic-messages', 'google', 'cohere'] as const;
let server: Server;
let answer: VendorErrorRow | null = null;
const adapters = new Map<string, Provider>();

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const { status = 500, headers = {}, body = {} } = answer ?? {};
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const wire of WIRES) adapters.set(wire, adapterFor(wire, { wire, baseUrl }));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each(ROWS.map((row) => [row.vendor, row.status, row.code, row] as const))(
  '%s, %i: %s',
  async (_vendor, _status, _code, row) => {
    answer = row;
    const provider = adapters.get(row.wire ?? 'openai-chat');
    if (provider === undefined) throw new Error(row.wire);
    const failure = errorOf(await hear(provider, callOf({})));
    expect(failure).toMatchObject({ code: row.code });
    expect(failure?.refusal?.concerns).toBe(row.concerns ?? 'request');
    expect(failure?.retryAfterMs).toBe(row.retryAfterMs);
  },
);

test('the rows are of many vendors, and each names where it was reported', () => {
  expect(new Set(ROWS.map(({ vendor }) => vendor)).size).toBeGreaterThan(15);
  for (const { source } of ROWS) expect(source).toMatch(/^https:\/\/[a-z.]+\/./);
});
