/** The form that signs in with an API key. */
import { useState } from 'preact/hooks';
import { ClientError } from '../../../../typescript/index.ts';
import { NEW_LINK, signedOutBecause, signIn } from '../../session.ts';
import { Mark } from '../parts.tsx';

export function SignIn() {
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const apiKey = String(new FormData(form).get('key') ?? '').trim();
    setBusy(true);
    setFault(null);
    try {
      await signIn(apiKey);
    } catch (error) {
      setBusy(false);
      setFault(
        error instanceof ClientError && error.status === 401
          ? 'Unknown API key. npm start prints a valid one.'
          : `The API did not answer: ${error instanceof Error ? error.message : error}`,
      );
    }
  };
  return (
    <main class="sign-in">
      <div class="card">
        <h1>
          <Mark />
          Unbroken
        </h1>
        <p class="muted">LLM generations that survive every failure.</p>
        {signedOutBecause.value !== null && (
          <p role="alert" class="warning">
            {signedOutBecause.value}
          </p>
        )}
        <section aria-labelledby="by-link">
          <h2 id="by-link">With a link</h2>
          <p>
            Run <code class="command">{NEW_LINK}</code> and open the link that it prints. It is valid once.
          </p>
        </section>
        <form onSubmit={submit} aria-labelledby="by-key">
          <h2 id="by-key">With a key</h2>
          <label for="key">API key</label>
          <input
            id="key"
            name="key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            minLength={8}
            aria-describedby="key-hint"
            aria-invalid={fault !== null}
          />
          <p id="key-hint" class="hint">
            Kept for this tab only.
          </p>
          <p role="alert" class="fault">
            {fault}
          </p>
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? 'Signing in' : 'Sign in'}
          </button>
        </form>
      </div>
    </main>
  );
}
