/** The page: the form to sign in, or the views with their sidebar. */
import { useEffect, useLayoutEffect } from 'preact/hooks';
import { place } from './router.ts';
import { signedOutBecause, stage } from './session.ts';
import { Loading } from './views/parts.tsx';
import { SignIn } from './views/session/sign-in.tsx';
import { CurrentView } from './views/shell/current-view.tsx';
import { Sidebar } from './views/shell/sidebar.tsx';
import { VIEWS } from './views.ts';

export function App() {
  const { view, id } = place.value;
  const isIn = stage.value === 'signed-in';
  useEffect(() => {
    document.title = `${isIn ? VIEWS[view].title : 'Sign in'} · Unbroken`;
  }, [view, isIn]);
  // The router is not the browser's: a new place begins at its top.
  useLayoutEffect(() => scrollTo(0, 0), [view, id]);
  if (stage.value === 'opening') {
    const trouble = signedOutBecause.value;
    return trouble === null ? <Loading what="Unbroken" /> : <p class="warning">{trouble}</p>;
  }
  if (!isIn) return <SignIn />;
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={focusMain}>
        Skip to content
      </button>
      <Sidebar view={view} />
      <main id="main" tabIndex={-1}>
        <CurrentView view={view} />
      </main>
    </div>
  );
}

function focusMain(): void {
  document.getElementById('main')?.focus();
}
