/** The session of the page: an API key, stored for this tab only and sent only in the header Authorization. */
import { computed, signal } from '@preact/signals';
import type { SessionView } from '../../../contracts/session.ts';
import { errorFromResponse } from '../../typescript/errors.ts';
import { createClient, type UnbrokenClient } from '../../typescript/index.ts';

const KEY = 'unbroken-key';
const BASE_URL = location.origin;
/** Short, because a user waits: the page soon shows that the API does not answer. */
const REQUEST_GIVE_UP_MS = 8_000;

export const key = signal<string | null>(sessionStorage.getItem(KEY));
export const session = signal<SessionView | null>(null);
/** An operator is an admin of every tenant. */
export const canAdminister = computed(() =>
  ['admin', 'operator'].some((scope) => session.value?.scopes.includes(scope)),
);

/** Throws ClientError if the key is invalid. */
export async function signIn(apiKey: string): Promise<void> {
  session.value = await getJson<SessionView>('/v1/session', apiKey);
  sessionStorage.setItem(KEY, apiKey);
  key.value = apiKey;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  key.value = null;
  session.value = null;
}

export function clientWith(fetch?: typeof globalThis.fetch): UnbrokenClient {
  const apiKey = key.value ?? undefined;
  return createClient({ baseUrl: BASE_URL, apiKey, fetch, requestGiveUpAfterMs: REQUEST_GIVE_UP_MS });
}

export function baseUrl(): string {
  return BASE_URL;
}

/** A GET that the client has no method for. Throws ClientError on an error status. */
export async function getJson<Answer>(path: string, apiKey = key.value): Promise<Answer> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await fetch(path, { headers, signal: AbortSignal.timeout(REQUEST_GIVE_UP_MS) });
  if (!response.ok) throw await errorFromResponse(response);
  // The type is safe: the API's tests check its answers against contracts/.
  return (await response.json()) as Answer;
}

/** The page of this run in the Temporal UI; null if the caller may not see it. */
export function temporalLink(generationId: string): string | null {
  const { temporalWorkflows = null, tenant = '' } = session.value ?? {};
  return temporalWorkflows === null
    ? null
    : temporalWorkflows + encodeURIComponent(`${tenant}/${generationId}`);
}
