/** Keeps the place in the fragment of the URL: a reload returns to it, and browsers send no fragment to a server. */
import { signal } from '@preact/signals';

export const views = [
  'chat',
  'runs',
  'jobs',
  'batches',
  'schedules',
  'usage',
  'prompts',
  'cache',
  'keys',
  'budgets',
  'providers',
] as const;
export type View = (typeof views)[number];

interface Place {
  readonly view: View;
  /** A conversation, a run, a job, a batch, or the name of a prompt. */
  readonly id: string | null;
}

const SIGN_IN = '#/sign-in/';

export const place = signal<Place>(placeOf(location.hash));

addEventListener('hashchange', () => {
  place.value = placeOf(location.hash);
});

function placeOf(hash: string): Place {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  // The address of a run before there was a chat.
  const known = name === 'generate' && id !== '' ? 'runs' : name;
  const view = views.find((candidate) => candidate === known) ?? 'chat';
  return { view, id: id === '' ? null : decoded(id) };
}

export function linkTo(view: View, id?: string): string {
  return id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`;
}

export function goTo(view: View, id?: string): void {
  location.hash = linkTo(view, id);
}

/** Whether the address is a link that signs in. */
export function hasSignInCode(): boolean {
  return location.hash.startsWith(SIGN_IN);
}

/** The code of a link that signs in; null when the address is none. It is removed from the address and the history. */
export function takeSignInCode(): string | null {
  if (!hasSignInCode()) return null;
  const code = location.hash.slice(SIGN_IN.length);
  history.replaceState(null, '', linkTo('chat'));
  place.value = placeOf(location.hash);
  return code;
}

function decoded(id: string): string | null {
  try {
    return decodeURIComponent(id);
  } catch {
    return null;
  }
}
