/** A base URL with and without a version: https://github.com/router-for-me/CLIProxyAPI/issues/3778 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { adapterFor } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

test.each([
  ['anthropic-messages', '', '/v1/messages'],
  ['anthropic-messages', '/v1', '/v1/messages'],
  ['anthropic-messages', '/api/v1/', '/api/v1/messages'],
  ['google', '', '/v1/models/m:streamGenerateContent'],
  ['google', '/v1beta', '/v1beta/models/m:streamGenerateContent'],
  ['google', '/gemini/v1beta/', '/gemini/v1beta/models/m:streamGenerateContent'],
] as const)('%s at %j asks for %s', async (wire, path, expected) => {
  server.requests.length = 0;
  server.play(readFixture(wire, 'plain'));
  const { error } = await hear(
    adapterFor(wire, { wire, baseUrl: `${server.url}${path}` }),
    callOf({}, { model: 'm' }),
  );
  expect([error, server.requests[0]?.path.replace(/\?.*/, '')]).toEqual([undefined, expected]);
});
