import { useEffect } from 'preact/hooks';
import { ClientError } from '../../typescript/index.ts';
import { linkTo, place, type View, views } from './router.ts';
import { canAdminister, key, session, signIn, signOut } from './session.ts';
import { Budgets } from './views/budgets.tsx';
import { Mark } from './views/parts.tsx';
import { Prompts } from './views/prompts.tsx';
import { Providers } from './views/providers.tsx';
import { Runs } from './views/runs.tsx';
import { SignIn } from './views/sign-in.tsx';
import { Workbench } from './views/workbench.tsx';

const TITLES: Readonly<Record<View, string>> = {
  generate: 'Generate',
  runs: 'Runs',
  budgets: 'Budgets',
  prompts: 'Prompts',
  providers: 'Providers',
};

export function App() {
  const { view } = place.value;
  const isIn = key.value !== null;
  useEffect(() => {
    document.title = `${isIn ? TITLES[view] : 'Sign in'} · Unbroken`;
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
        <Current view={view} />
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
            {TITLES[name]}
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

function Current({ view }: { view: View }) {
  switch (view) {
    case 'runs':
      return <Runs />;
    case 'budgets':
      return <Budgets />;
    case 'prompts':
      return <Prompts />;
    case 'providers':
      return <Providers />;
    default:
      return <Workbench />;
  }
}

function focusMain(): void {
  document.getElementById('main')?.focus();
}
