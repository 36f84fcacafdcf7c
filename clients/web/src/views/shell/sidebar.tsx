/** The frame around every view: where to go, who is signed in, and the theme. On a phone, a button opens it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { linkTo, type View, views } from '../../router.ts';
import { canAdminister, session, signOut } from '../../session.ts';
import { chooseTheme, type Theme, theme } from '../../theme.ts';
import { VIEWS } from '../../views.ts';
import { Icon, Mark } from '../parts.tsx';

export function Sidebar({ view }: { view: View }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  // After a choice, the view must not stay behind the menu.
  useEffect(() => setOpen(false), [view]);
  useEffect(() => {
    if (!isOpen) return;
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    addEventListener('keydown', closeOnEscape);
    return () => removeEventListener('keydown', closeOnEscape);
  }, [isOpen]);
  return (
    <header class={isOpen ? 'sidebar open' : 'sidebar'}>
      <div class="bar">
        <a class="brand" href={linkTo('chat')}>
          <Mark />
          Unbroken
        </a>
        <button
          ref={button}
          type="button"
          class="quiet menu"
          aria-expanded={isOpen}
          aria-controls="menu"
          onClick={() => setOpen(!isOpen)}
        >
          <Icon path={isOpen ? 'M6 6l12 12M18 6L6 18' : 'M4 7h16M4 12h16M4 17h16'} />
          <span class="visually-hidden">Menu</span>
        </button>
      </div>
      <div id="menu" class="content">
        <nav aria-label="Main">
          {views.map((name) => (
            <a
              key={name}
              href={linkTo(name)}
              aria-current={name === view ? 'page' : undefined}
              onClick={() => setOpen(false)}
            >
              <Icon path={VIEWS[name].icon} />
              {VIEWS[name].title}
            </a>
          ))}
        </nav>
        <div class="foot">
          <ThemeSelect />
          <Who />
        </div>
      </div>
    </header>
  );
}

function Who() {
  const { tenant, user } = session.value ?? {};
  return (
    <div class="who">
      {user !== undefined && (
        <p>
          <strong>{user}</strong>
          <span class="muted">
            {tenant}
            {canAdminister.value && ', admin'}
          </span>
        </p>
      )}
      <button type="button" class="quiet" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}

const THEME_NAMES: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

function ThemeSelect() {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Theme</legend>
      {(['system', 'light', 'dark'] as const).map((name) => (
        <label key={name}>
          <input
            type="radio"
            name="theme"
            value={name}
            checked={theme.value === name}
            onChange={() => chooseTheme(name)}
          />
          <span>{THEME_NAMES[name]}</span>
        </label>
      ))}
    </fieldset>
  );
}
