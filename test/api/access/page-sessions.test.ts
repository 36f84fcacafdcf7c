import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { pino } from 'pino';
import type { Caller } from '../../../api/access/api-keys.ts';
import { authenticate, callerIn } from '../../../api/access/authenticate.ts';
import { PageSessions } from '../../../api/access/page-sessions.ts';
import { createRateLimiter } from '../../../api/access/rate-limiter.ts';
import { Tickets } from '../../../api/access/tickets.ts';
import { handleError } from '../../../api/http/handle-error.ts';
import { createSignInLink, endPageSession, openPageSession } from '../../../api/routes/page-session.ts';
import { sendWireError } from '../../../api/wires/send-wire-error.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { type KeysOnRedis, startKeys } from './keys-on-redis.ts';

const FROM_PAGE = { 'x-unbroken-page': '1', 'sec-fetch-site': 'same-origin' };
const SIGN_INS = 30;
let keys: KeysOnRedis;
let sessions: PageSessions;
let server: Server;
let url: string;
let key: string;
let caller: Caller;

beforeAll(async () => {
  keys = await startKeys();
  sessions = new PageSessions(keys.redis, keys.here);
  ({ key } = await keys.here.create({ tenant: 'acme', user: 'ann', scopes: ['generate', 'admin'] }));
  caller = (await keys.here.find(key)) as Caller;
  const config = loadConfig({ UNBROKEN_SIMULATOR_URL: 'http://127.0.0.1:9' });
  const signIns = createRateLimiter(keys.redis, { requestsPerMinute: SIGN_INS, per: 'address' });
  const app = express();
  app.post('/v1/session', openPageSession({ config, sessions, signIns }));
  app.delete('/v1/session', endPageSession({ sessions }));
  app.use(authenticate({ keys: keys.here, sessions }));
  app.post('/v1/session/links', createSignInLink({ sessions }));
  app.use('/v1/whoami', (_request, response) => {
    response.json({ user: callerIn(response).user });
  });
  app.use(handleError(pino({ level: 'silent' }), sendWireError));
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server?.close();
  server?.closeAllConnections();
  await keys?.stop();
});

async function newCode(): Promise<string> {
  return (await sessions.issueLink(caller)).path.replace('/#/sign-in/', '');
}

function send(method: string, path: string, headers: Record<string, string> = {}, body?: object) {
  return fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function signIn(): Promise<{ cookie: string; attributes: string }> {
  const response = await send('POST', '/v1/session', FROM_PAGE, { code: await newCode() });
  expect(response.status).toBe(200);
  const [cookie = '', ...attributes] = (response.headers.get('set-cookie') ?? '').split('; ');
  return { cookie, attributes: attributes.join('; ') };
}

describe('a link to the page', () => {
  test('signs in once, even when ten browsers try it at once', async () => {
    const code = await newCode();
    const opened = await Promise.all(Array.from({ length: 10 }, () => sessions.open(code)));
    expect(opened.filter((session) => session !== null)).toHaveLength(1);
    expect(await sessions.open(code)).toBeNull();
  });

  test('expires, and Redis has neither the code nor the token', async () => {
    const code = await newCode();
    const [name = ''] = await keys.redis.keys('ub:sign-in:*');
    expect(name).not.toContain(code);
    const lifeMs = await keys.redis.pTTL(name);
    expect(lifeMs).toBeGreaterThan(0);
    expect(lifeMs).toBeLessThanOrEqual(LIMITS.signInLinkMs);
    const { token = '' } = (await sessions.open(code)) ?? {};
    const [session = ''] = await keys.redis.keys('ub:page-session:*');
    expect(session).not.toContain(token);
    expect(await keys.redis.get(session)).toMatch(new RegExp(`^${caller.keyId} [0-9a-f]{64}$`));
    expect(await keys.redis.pTTL(session)).toBeLessThanOrEqual(LIMITS.pageSessionMs);
  });

  test('that was used says how to get another', async () => {
    const code = await newCode();
    await sessions.open(code);
    const response = await send('POST', '/v1/session', FROM_PAGE, { code });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('unbroken open');
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  test('is no key, and a code is no session', async () => {
    const code = await newCode();
    expect(await sessions.callerOf(code)).toBeNull();
    const { token = '' } = (await sessions.open(code)) ?? {};
    expect(await sessions.open(token)).toBeNull();
    expect((await send('GET', '/v1/whoami', { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test.each(['', 'us_', 'x'.repeat(128), 'us_../../key'])(
    'with a wrong form opens nothing (%#)',
    async (code) => {
      expect(await sessions.open(code)).toBeNull();
    },
  );

  test('needs a key: a session cannot create another', async () => {
    const { cookie } = await signIn();
    const withSession = await send('POST', '/v1/session/links', { ...FROM_PAGE, cookie });
    expect(withSession.status).toBe(403);
    const withKey = await send('POST', '/v1/session/links', { authorization: `Bearer ${key}` });
    expect(withKey.status).toBe(201);
    expect(await withKey.json()).toEqual({
      path: expect.stringMatching(/^\/#\/sign-in\/us_/),
      expiresAt: expect.any(Number),
    });
  });
});

describe('the cookie of the page', () => {
  test('is out of reach of scripts and of other sites', async () => {
    const { cookie, attributes } = await signIn();
    expect(cookie).toMatch(/^unbroken_session_\d+=us_/);
    expect(attributes).toMatch(/HttpOnly/);
    expect(attributes).toMatch(/SameSite=Strict/);
    expect(attributes).toMatch(/Path=\/v1/);
    expect(attributes).not.toMatch(/Secure/);
    const code = await newCode();
    const https = await send('POST', '/v1/session', { ...FROM_PAGE, 'x-forwarded-proto': 'https' }, { code });
    expect(https.headers.get('set-cookie')).toMatch(/Secure/);
  });

  test.each<[string, Record<string, string>]>([
    ['a form or an image of another page', {}],
    ['a page on another port of the host', { 'x-unbroken-page': '1', 'sec-fetch-site': 'same-site' }],
    ['another site', { 'x-unbroken-page': '1', 'sec-fetch-site': 'cross-site' }],
    ['an address typed by hand', { 'sec-fetch-site': 'none' }],
  ])('gives no rights to %s', async (_who, headers) => {
    const { cookie } = await signIn();
    expect((await send('GET', '/v1/whoami', { ...FROM_PAGE, cookie })).status).toBe(200);
    for (const method of ['GET', 'POST', 'DELETE']) {
      expect((await send(method, '/v1/whoami', { ...headers, cookie })).status).toBe(403);
    }
    expect((await send('DELETE', '/v1/session', { ...headers, cookie })).status).toBe(403);
    const body = { code: await newCode() };
    expect((await send('POST', '/v1/session', headers, body)).status).toBe(403);
  });

  test('is void after signing out, and with the revocation of its key', async () => {
    const { cookie } = await signIn();
    const out = await send('DELETE', '/v1/session', { ...FROM_PAGE, cookie });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/=;.*Expires=Thu, 01 Jan 1970/);
    expect((await send('GET', '/v1/whoami', { ...FROM_PAGE, cookie })).status).toBe(401);
    const other = await keys.here.create({ tenant: 'acme', user: 'bob' });
    const { path } = await sessions.issueLink((await keys.here.find(other.key)) as Caller);
    const { token = '' } = (await sessions.open(path.replace('/#/sign-in/', ''))) ?? {};
    expect(await sessions.callerOf(token)).toMatchObject({ user: 'bob', inPage: true });
    await keys.here.revoke(other.id);
    expect(await sessions.callerOf(token)).toBeNull();
  });
});

test('what an old secret has opened ends with it: links, sessions and tickets', async () => {
  const old = await keys.here.create({ tenant: 'acme', user: 'bob' });
  const asOld = (await keys.here.find(old.key)) as Caller;
  const tickets = new Tickets(keys.redis, keys.here);
  const open = async () => {
    const code = (await sessions.issueLink(asOld)).path.replace('/#/sign-in/', '');
    return (await sessions.open(code))?.token ?? '';
  };
  const ticketOf = async () => (await tickets.issue(asOld, { reconnects: false })).ticket;
  const [token, codecTicket] = [await open(), await tickets.issueForCodec(asOld)];
  const { key: fresh = '' } = (await keys.here.rotate(old.id, 60_000)) ?? {};
  // The old secret is valid for a while.
  expect(await sessions.callerOf(token)).toMatchObject({ user: 'bob' });
  expect(await tickets.redeem(await ticketOf())).toMatchObject({ user: 'bob' });
  const ticket = await ticketOf();
  const { path } = await sessions.issueLink((await keys.here.find(fresh)) as Caller);
  await keys.here.rotate(old.id, 60_000);
  expect(await sessions.callerOf(token)).toBeNull();
  expect(await open()).toBe('');
  expect([await tickets.redeem(ticket), await tickets.callerForCodec(codecTicket)]).toEqual([null, null]);
  const opened = await sessions.open(path.replace('/#/sign-in/', ''));
  expect(opened).toMatchObject({ caller: { user: 'bob' } });
});

// The last, since it uses up what this address may try.
test('an address that tries codes is limited, and still signs in with a good one', async () => {
  const statuses: number[] = [];
  for (let round = 0; round <= SIGN_INS; round += 1) {
    statuses.push((await send('POST', '/v1/session', FROM_PAGE, { code: `us_${'A'.repeat(43)}` })).status);
  }
  expect(statuses).toContain(401);
  expect(statuses.at(-1)).toBe(429);
  // Behind a proxy, it has the address of all others.
  expect((await send('POST', '/v1/session', FROM_PAGE, { code: await newCode() })).status).toBe(200);
});
