/**
 * The session of the page. It begins with a link, whose code is exchanged for a cookie that no script can read; or with
 * an API key, which is stored for this tab only and sent only in the header Authorization.
 */
import { computed, signal } from '@preact/signals';
import { PAGE_HEADER, type SessionView } from '../../../contracts/session.ts';
import { errorFromResponse } from '../../typescript/errors.ts';
import { ClientError, createClient, type UnbrokenClient } from '../../typescript/index.ts';
import { takeSignInCode } from './router.ts';
import { lasting, ofThisTab } from './storage.ts';

const KEY = 'unbroken-key';
/** Says that this browser has a cookie, so that a page without one asks for nothing before it shows the form. */
const HAS_COOKIE = 'unbroken-signed-in';
const BASE_URL = location.origin;
/** Short, because a user waits: the page soon shows that the API does not answer. */
const REQUEST_GIVE_UP_MS = 8_000;
const REOPEN_MS = 2_000;
export const NEW_LINK = 'npx unbroken open';

/** `opening`: a link or the credentials of an earlier visit are being checked. */
type Stage = 'opening' | 'signed-out' | 'signed-in';

const key = signal<string | null>(ofThisTab.getItem(KEY));
export const stage = signal<Stage>('opening');
export const session = signal<SessionView | null>(null);
/** Why the page is not signed in, or not yet; null when there is nothing to say. */
export const signedOutBecause = signal<string | null>(null);
/** An operator is an admin of every tenant. */
export const canAdminister = computed(() =>
  ['admin', 'operator'].some((scope) => session.value?.scopes.includes(scope)),
);

/** Signs in with the link that was opened, or with what an earlier visit left. Once, when the page starts. */
export async function openSession(): Promise<void> {
  const code = takeSignInCode();
  try {
    if (code !== null) await signInWith(code);
    else if (key.value !== null || lasting.getItem(HAS_COOKIE) !== null) await resumeSession();
    else stage.value = 'signed-out';
  } catch (error) {
    forget(messageOf(error));
  }
}

async function signInWith(code: string): Promise<void> {
  ofThisTab.removeItem(KEY);
  key.value = null;
  session.value = await sendJson<SessionView>('POST', '/v1/session', { code });
  lasting.setItem(HAS_COOKIE, 'yes');
  signedOutBecause.value = null;
  stage.value = 'signed-in';
}

/** An API that does not answer has not signed anybody out: the page tries again. */
async function resumeSession(): Promise<void> {
  try {
    session.value = await getJson<SessionView>('/v1/session');
    signedOutBecause.value = null;
    stage.value = 'signed-in';
  } catch (error) {
    if (error instanceof ClientError && error.status === 401) throw error;
    signedOutBecause.value = `${messageOf(error)} Trying again.`;
    setTimeout(() => void openSession(), REOPEN_MS);
  }
}

/** Throws ClientError if the key is invalid. */
export async function signIn(apiKey: string): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  session.value = await readJson<SessionView>(await fetch('/v1/session', { headers, signal: timeLimit() }));
  ofThisTab.setItem(KEY, apiKey);
  key.value = apiKey;
  signedOutBecause.value = null;
  stage.value = 'signed-in';
}

export async function signOut(): Promise<void> {
  const hadCookie = key.value === null;
  for (const storage of [lasting, ofThisTab]) {
    for (const name of Object.keys(storage)) if (name.startsWith('unbroken-chat')) storage.removeItem(name);
  }
  // A session that cannot be ended now ends by itself; the browser keeps its cookie until then.
  if (hadCookie) await sendJson('DELETE', '/v1/session').catch(() => undefined);
  forget(null);
}

function forget(reason: string | null): void {
  ofThisTab.removeItem(KEY);
  lasting.removeItem(HAS_COOKIE);
  key.value = null;
  session.value = null;
  signedOutBecause.value = reason;
  stage.value = 'signed-out';
}

/** Where the page keeps what belongs to this session: for this tab, if the key is; else for the browser. */
export function sessionStore(): Storage {
  return key.value === null ? lasting : ofThisTab;
}

/** `fetch` with the credentials of the page. A session that has ended leads back to the form. */
export const pageFetch: typeof globalThis.fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set(PAGE_HEADER, '1');
  if (key.value !== null) headers.set('authorization', `Bearer ${key.value}`);
  const response = await fetch(input, { ...init, headers });
  if (response.status === 401 && stage.value === 'signed-in') {
    forget((await errorFromResponse(response.clone())).message);
  }
  return response;
};

export function clientWith(): UnbrokenClient {
  return createClient({ baseUrl: BASE_URL, fetch: pageFetch, requestGiveUpAfterMs: REQUEST_GIVE_UP_MS });
}

export function baseUrl(): string {
  return BASE_URL;
}

/** A GET that the client has no method for. Throws ClientError on an error status. */
export async function getJson<Answer>(path: string): Promise<Answer> {
  return readJson(await pageFetch(path, { signal: timeLimit() }));
}

/** Sends a change that the client has no method for. It is not retried. Throws ClientError on an error status. */
export async function sendJson<Answer = void>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Answer> {
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return readJson(await pageFetch(path, { method, signal: timeLimit(), ...content }));
}

async function readJson<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) throw await errorFromResponse(response);
  // The type is safe: the API's tests check its answers against contracts/.
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

function timeLimit(): AbortSignal {
  return AbortSignal.timeout(REQUEST_GIVE_UP_MS);
}

function messageOf(error: unknown): string {
  if (error instanceof ClientError) return error.message;
  return `The API did not answer: ${error instanceof Error ? error.message : error}`;
}

/** The page of this run in the Temporal UI; null if the caller may not see it. */
export function temporalLink(generationId: string): string | null {
  const { temporalWorkflows = null, tenant = '' } = session.value ?? {};
  return temporalWorkflows === null
    ? null
    : temporalWorkflows + encodeURIComponent(`${tenant}/${generationId}`);
}
