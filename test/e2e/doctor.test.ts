import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { examine } from '../../tools/services/doctor/examine.ts';
import type { Finding } from '../../tools/services/doctor/finding.ts';
import { findFreePort } from '../../tools/services/ports.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const environment = (change: Record<string, string> = {}) => ({
  ...stack.env,
  UNBROKEN_PORT: new URL(stack.api.url).port,
  ...change,
});
const of = (findings: readonly Finding[], check: string) =>
  findings.find((finding) => finding.check === check);

describe('npx unbroken doctor', () => {
  test('finds nothing wrong where all is well, as text and as JSON', async () => {
    const cli = (args: string[]) => runCli(stack.api, ['doctor', ...args], environment());
    const text = await cli([]);
    expect(text.error).toBe('');
    expect(text.out).toContain('0 errors');
    expect(text.code).toBe(0);
    const report = JSON.parse((await cli(['--json'])).out);
    expect(report).toMatchObject({ healthy: true, errors: 0 });
    // No worker here has a version.
    expect(of(report.findings, 'worker versions')).toBeUndefined();
    expect(report.findings.map(({ check }: Finding) => check)).toEqual(
      expect.arrayContaining([
        'node',
        'config',
        'disk',
        'temporal',
        'temporal version',
        'temporal namespace',
        'workers',
        'api',
        'temporal search attributes',
        'redis',
        'redis version',
        'redis persistence',
        'redis eviction',
        'redis memory',
        'redis scripts',
        'clocks',
        'qdrant',
        'qdrant version',
        'routes',
      ]),
    );
  });

  test('names each service that is unreachable, and the variable that names it', async () => {
    const port = await findFreePort();
    const findings = await examine(
      environment({
        TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
        REDIS_URL: `redis://:secret@127.0.0.1:${port}`,
        QDRANT_URL: `http://127.0.0.1:${port}`,
        UNBROKEN_PORT: String(port),
      }),
    );
    expect(of(findings, 'temporal')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('TEMPORAL_ADDRESS'),
    });
    expect(of(findings, 'redis')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('REDIS_URL'),
    });
    expect(of(findings, 'qdrant')).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('QDRANT_URL'),
    });
    expect(of(findings, 'api')).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('npm start'),
    });
    expect(JSON.stringify(findings)).not.toContain('secret');
  });

  test('tells a namespace, a worker and a key that are missing, and a key that was copied with its quotes', async () => {
    const elsewhere = await examine(environment({ TEMPORAL_NAMESPACE: 'nowhere' }));
    expect(of(elsewhere, 'temporal namespace')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('temporal operator namespace create -n nowhere'),
    });
    const idle = await examine(environment({ UNBROKEN_TASK_QUEUE: 'nobody', UNBROKEN_SIMULATOR_URL: '' }));
    expect(of(idle, 'workers')).toMatchObject({ status: 'warning' });
    expect(of(idle, 'routes')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('OPENAI_API_KEY'),
    });
    const quoted = await examine(
      environment({ UNBROKEN_SIMULATOR_URL: '', OPENAI_API_KEY: '"sk-0123456789"' }),
    );
    expect(of(quoted, 'provider openai')).toMatchObject({ status: 'error' });
    expect(JSON.stringify(quoted)).not.toContain('sk-0123456789');
  });

  test('a port of another program, and a config that is wrong, are said with their fix', async () => {
    const taken = await examine(environment({ UNBROKEN_PORT: new URL(stack.sim.url).port }));
    expect(of(taken, 'api')).toMatchObject({
      status: 'error',
      fix: expect.stringContaining('UNBROKEN_PORT'),
    });
    const wrong = await runCli(stack.api, ['doctor'], environment({ UNBROKEN_PORT: 'none' }));
    expect(wrong.out).toContain('UNBROKEN_PORT');
    expect(wrong.code).toBe(1);
  });
});
