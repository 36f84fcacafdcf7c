/** Shows the view of the place. Its code is loaded when it is first shown, and kept. */
import { type Signal, signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { View } from '../../router.ts';
import { VIEWS } from '../../views.ts';
import { Failure, Loading } from '../parts.tsx';

type Loaded = { readonly component: ComponentType } | { readonly error: Error } | null;
const loaded = new Map<View, Signal<Loaded>>();

export function CurrentView({ view }: { view: View }) {
  const state = loadedView(view).value;
  if (state === null) return <Loading what={VIEWS[view].title} />;
  if ('component' in state) return <state.component />;
  return (
    <section class="card">
      <Failure error={state.error} />
      <p>
        <button type="button" onClick={() => location.reload()}>
          Reload the page
        </button>
      </p>
    </section>
  );
}

/** A failed load is tried again by a reload: after an upgrade, the file has another name. */
function loadedView(view: View): Signal<Loaded> {
  const known = loaded.get(view);
  if (known !== undefined) return known;
  const state = signal<Loaded>(null);
  loaded.set(view, state);
  VIEWS[view].load().then(
    (component) => {
      state.value = { component };
    },
    () => {
      state.value = { error: new Error('This part of the page could not be loaded.') };
    },
  );
  return state;
}
