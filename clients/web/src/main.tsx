/** The start of the page: theme, session, first rendering. */
import './without-eval.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { hasSignInCode } from './router.ts';
import { openSession } from './session.ts';
import { applyTheme } from './theme.ts';

applyTheme();
void openSession();
// A second link that is opened in this tab changes the fragment alone.
addEventListener('hashchange', () => {
  if (hasSignInCode()) void openSession();
});
const root = document.getElementById('page');
if (root !== null) render(<App />, root);
