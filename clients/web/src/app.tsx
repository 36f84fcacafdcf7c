import { useEffect } from 'preact/hooks';
import { ClientError } from '../../typescript/index.ts';
import { linkTo, place, type View, views } from './router.ts';
import { canAdminister, key, session, signIn, signOut } from './session.ts';
import { CurrentView } from './views/current-view.tsx';
import { Mark } from './views/parts.tsx';
import { SignIn } from './views/session/sign-in.tsx';
import { VIEWS } from './views.ts';

export function App() {
  const { view } = place.value;
  const isIn = key.value !== null;
  useEffect(() => {
    document.title = `${isIn ? VIEWS[view].title : 'Sign in'} · Unbroken`;
  }, [view, isIn]);
  useEffect(() => {
    // After a reload the tab still has the key; the API says whether it is still valid.
    if (key.value === null || session.value !== null) return;
    signIn(key.value).catch((error: unknown) => {
      if (error instanceof ClientError && error.status === 401) signOut();
    });
  }, [isIn]);
  if (!isIn) return <SignIn />;
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to content
      </button>
      <Header view={view} />
      <main id="main" tabIndex={-1}>
        <CurrentView view={view} />
      </main>
    </>
  );
}

function Header({ view }: { view: View }) {
  const { tenant, user } = session.value ?? {};
  return (
    <header class="top">
      <a class="brand" href={linkTo('generate')}>
        <Mark />
        Unbroken
      </a>
      <nav aria-label="Main">
        {views.map((name) => (
          <a key={name} href={linkTo(name)} aria-current={name === view ? 'page' : undefined}>
            {VIEWS[name].title}
          </a>
        ))}
      </nav>
      <p class="who">
        {user !== undefined && (
          <span title={canAdminister.value ? 'An admin key' : undefined}>
            {user} <span class="muted">in {tenant}</span>
          </span>
        )}
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      </p>
    </header>
  );
}

function focusMain(): void {
  document.getElementById('main')?.focus();
}
