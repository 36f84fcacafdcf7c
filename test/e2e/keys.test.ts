import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import type { NewKey, Scope } from '../../contracts/keys.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
let elsewhere: string;
beforeAll(async () => {
  stack = await startStack({ apis: 2 });
  elsewhere = stack.otherApis[0] ?? '';
});
afterAll(() => stack?.stop());

const create = async (api: UnbrokenApi, body: object) => {
  const response = await api.send('/v1/keys', { method: 'POST', body: JSON.stringify(body) });
  return {
    status: response.status,
    body: (await response.json()) as NewKey & { error: { message: string } },
  };
};
const status = async (url: string, headers: Record<string, string>) =>
  (await fetch(`${url}/v1/generations`, { headers })).status;

describe('npx unbroken keys', () => {
  test('makes a key that is good at every process, in either header, and shows it once', async () => {
    const made = await runCli(stack.api, ['keys', 'create', '--user', 'billing', '--name', 'of the CLI']);
    expect(made.code).toBe(0);
    expect(made.error).not.toContain(made.out);
    for (const url of [stack.api.url, elsewhere]) {
      expect(await status(url, { authorization: `Bearer ${made.out}` })).toBe(200);
      expect(await status(url, { 'x-api-key': made.out })).toBe(200);
    }
    const listed = await runCli(stack.api, ['keys', 'list']);
    expect(listed.out).toContain('of the CLI');
    expect(listed.out).not.toContain(made.out);
  });

  test('rotates it, and revokes it', async () => {
    const first = await runCli(stack.api, ['keys', 'create', '--user', 'billing', '--expires', '1d']);
    const id = `key_${first.out.split('_')[1]}`;
    const second = await runCli(stack.api, ['keys', 'rotate', id, '--overlap', '1h']);
    for (const { out } of [first, second]) {
      expect(await status(elsewhere, { authorization: `Bearer ${out}` })).toBe(200);
    }
    expect((await runCli(stack.api, ['keys', 'revoke', id])).code).toBe(0);
    for (const { out } of [first, second]) {
      await waitFor('the refusal', async () => (await status(elsewhere, { 'x-api-key': out })) === 401);
    }
  });

  test('says what is wrong', async () => {
    const duration = await runCli(stack.api, ['keys', 'create', '--user', 'a', '--expires', 'soon']);
    expect(duration.error).toContain('such as 30d');
    const scope = await runCli(stack.api, ['keys', 'create', '--user', 'a', '--scope', 'everything']);
    expect([scope.code, scope.error]).toEqual([1, expect.stringContaining('invalid_request: scopes.0')]);
  });
});

describe('a key that is revoked', () => {
  test('loses its open streams and sockets at every process within seconds, as well as its next requests', async () => {
    const { body } = await create(stack.api, { user: 'dev' });
    const mine = connectApi(elsewhere, body.key);
    const { body: run } = await mine.create({
      input: promptOf({ tokens: 3_000, delayMs: 20 }),
      cache: 'off',
    });
    const socket = new WebSocket(`${elsewhere.replace('http', 'ws')}/v1/stream`, {
      headers: { authorization: `Bearer ${body.key}` },
    });
    await once(socket, 'open');
    const socketClosed = once(socket, 'close');
    let events = 0;
    const stream = mine.readOnce(run.id, -1, (seen) => {
      events = seen.length;
      return false;
    });
    const streamCut = expect(stream).rejects.toThrow();
    await waitFor('some text', () => events > 5);
    const revoked = await stack.api.send(`/v1/keys/${body.id}`, { method: 'DELETE' });
    expect(revoked.status).toBe(204);
    await Promise.all([streamCut, socketClosed]);
    expect((await stack.api.view(run.id)).body.status).toBe('running');
    expect((await mine.view(run.id)).status).toBe(401);
    await stack.api.cancel(run.id);
  });
});

describe('an admin', () => {
  test('gives no scope and touches no key that is above its own', async () => {
    const scopes: Scope[] = ['admin'];
    const admin = connectApi(stack.api.url, (await create(stack.api, { user: 'root', scopes })).body.key);
    const operator = await create(stack.api, { user: 'op', scopes: ['operator'] });
    expect((await create(admin, { user: 'x', scopes: ['operator'] })).status).toBe(403);
    expect((await create(admin, { user: 'x', tenant: 'other' })).status).toBe(403);
    expect((await create(admin, { user: 'x', scopes: ['generate', 'any-user', 'admin'] })).status).toBe(201);
    const id = operator.body.id;
    expect((await admin.send(`/v1/keys/${id}/rotate`, { method: 'POST' })).status).toBe(403);
    expect((await admin.send(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(403);
    expect((await admin.create({ input: 'x' })).status).toBe(403);
  });

  test.each([
    [{}, 'user'],
    [{ user: 'a', scopes: [] }, 'scopes'],
    [{ user: 'a b' }, 'user'],
    [{ user: 'a', expiresInMs: -1 }, 'expiresInMs'],
    [{ user: 'a', secret: 'mine' }, 'secret'],
  ])('learns what is wrong with %j', async (body, field) => {
    const answer = await create(stack.api, body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(field)]);
  });
});
