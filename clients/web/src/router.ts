/** Keeps the place in the fragment of the URL: a reload returns to it, and browsers send no fragment to a server. */
import { signal } from '@preact/signals';

export const views = [
  'generate',
  'runs',
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
  /** A generation, or the name of a prompt. */
  readonly id: string | null;
}

export const place = signal<Place>(placeOf(location.hash));

addEventListener('hashchange', () => {
  place.value = placeOf(location.hash);
});

function placeOf(hash: string): Place {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  const view = views.find((known) => known === name) ?? 'generate';
  return { view, id: id === '' ? null : decoded(id) };
}

export function linkTo(view: View, id?: string): string {
  return id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`;
}

export function goTo(view: View, id?: string): void {
  location.hash = linkTo(view, id);
}

function decoded(id: string): string | null {
  try {
    return decodeURIComponent(id);
  } catch {
    return null;
  }
}
