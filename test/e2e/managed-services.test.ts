/** Services that others host: TLS with a private authority, API keys, a client certificate, a separate namespace. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { examine } from '../../tools/services/doctor/examine.ts';
import type { Finding } from '../../tools/services/doctor/finding.ts';
import { announcedServices } from '../harness/announced-services.ts';
import { type ManagedServices, startManagedServices } from '../harness/managed-services.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

let managed: ManagedServices;
let stack: Stack;
beforeAll(async () => {
  managed = await startManagedServices(announcedServices());
  stack = await startStack({ services: managed.env });
});
afterAll(async () => {
  await stack?.stop();
  await managed?.stop();
});

const environment = (change: Record<string, string> = {}) => ({
  ...stack.env,
  UNBROKEN_PORT: new URL(stack.api.url).port,
  ...change,
});
const of = (findings: readonly Finding[], check: string) =>
  findings.find((finding) => finding.check === check);

test('a generation runs on them, from the API to the stored answer', async () => {
  const input = promptOf({ tokens: 20, delayMs: 1 });
  const body = await stack.api.submit({ input, cache: 'on' });
  const done = await waitFor('the end', async () => {
    const view = (await stack.api.view(body.id)).body;
    return view.status !== 'running' && view;
  });
  expect(done).toMatchObject({ status: 'completed', text: (await stack.sim.text(input)).text });
  await waitFor('a hit', async () => {
    const again = await stack.api.create({ input, cache: 'on' });
    const view = await waitFor('its end', async () => {
      const { body: now } = await stack.api.view(again.body.id);
      return now.status !== 'running' && now;
    });
    return JSON.stringify(view).includes('"cached":true');
  });
});

describe('npx unbroken doctor', () => {
  test('finds TLS with all three, a client certificate, and nothing wrong', async () => {
    const { out, code } = await runCli(stack.api, ['doctor', '--json'], environment());
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    for (const check of ['temporal tls', 'redis tls', 'qdrant tls', 'temporal client certificate'])
      expect(of(findings, check)).toMatchObject({
        status: 'ok',
        found: expect.stringContaining('valid until'),
      });
    expect(of(findings, 'temporal namespace')).toMatchObject({ status: 'ok' });
    // The owner added them: this client may neither list nor add any.
    expect(of(findings, 'temporal search attributes')).toMatchObject({ status: 'ok' });
    expect(findings.filter(({ status }) => status === 'error')).toEqual([]);
    expect(code).toBe(0);
    for (const secret of managed.secrets) expect(out).not.toContain(secret);
  });

  test('names the variable that is missing: the key, the authority, the client certificate', async () => {
    const wrongKey = await examine(environment({ TEMPORAL_API_KEY: 'of-another-namespace' }));
    expect(of(wrongKey, 'temporal')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('TEMPORAL_API_KEY'),
    });
    // This process was not started with NODE_EXTRA_CA_CERTS.
    for (const check of ['redis tls', 'qdrant tls'])
      expect(of(wrongKey, check)).toMatchObject({
        status: 'error',
        fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      });
    const untrusted = await examine(environment({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '' }));
    expect(of(untrusted, 'temporal tls')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('TEMPORAL_TLS_SERVER_CA_CERT_PATH'),
    });
    const unencrypted = await examine(
      environment({ REDIS_URL: 'redis://cache.example.com:6379', QDRANT_URL: 'http://127.0.0.1:9' }),
    );
    expect(of(unencrypted, 'redis tls')).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('rediss://'),
    });
    expect(of(unencrypted, 'qdrant tls')).toBeUndefined();
    for (const secret of managed.secrets)
      expect(JSON.stringify([wrongKey, untrusted, unencrypted])).not.toContain(secret);
  });

  test('a client that may not add search attributes learns the command of Temporal Cloud', async () => {
    const bare = environment({ TEMPORAL_NAMESPACE: managed.bareNamespace });
    const findings = await examine(bare);
    const command = `tcld namespace search-attributes add --namespace ${managed.bareNamespace} --sa "UnbrokenTenant=Keyword"`;
    expect(of(findings, 'temporal search attributes')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining(command),
    });
    const preparation = await runCli(stack.api, [], bare, 'tools/deploy/prepare-namespace.ts');
    expect(preparation.code).toBe(1);
    expect(preparation.error).toContain(command);
  });
});
