/** The API keys of the tenant: create, rotate and revoke them. */
import { useCallback, useState } from 'preact/hooks';
import type { KeyView, NewKey } from '../../../../../contracts/keys.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { canAdminister, getJson, sendJson, session } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Empty, Failure, Loading, Time } from '../parts.tsx';
import { CreateKey } from './create-key.tsx';
import { NewSecret } from './new-secret.tsx';
import { RotateKey } from './rotate-key.tsx';

/** `GET /v1/keys`. */
interface KeyList {
  readonly data: readonly KeyView[];
}

type Step =
  | { readonly is: 'create' }
  | { readonly is: 'rotate' | 'revoke'; readonly key: KeyView }
  | { readonly is: 'secret'; readonly key: NewKey; readonly verb: 'created' | 'rotated' };

/** A tenant may have thousands; a longer list is found by its filter. */
const MOST_SHOWN = 200;
const FILTER_FROM = 8;

export function Keys() {
  if (session.value !== null && !canAdminister.value) {
    return (
      <section class="card">
        <h1>Keys</h1>
        <Empty title="Keys are managed with a key that has the scope admin">
          Sign in with such a key, or ask an administrator of {session.value.tenant} for a key.
        </Empty>
      </section>
    );
  }
  return <KeyManager />;
}

function KeyManager() {
  const load = useCallback(() => getJson<KeyList>('/v1/keys'), []);
  const { data, error, reload } = usePolled(load);
  const [step, setStep] = useState<Step | null>(null);
  const close = () => setStep(null);
  const showSecret = (key: NewKey, verb: 'created' | 'rotated') => {
    setStep({ is: 'secret', key, verb });
    reload();
  };
  const revoke = async ({ id }: KeyView) => {
    await sendJson('DELETE', `/v1/keys/${encodeURIComponent(id)}`);
    close();
    reload();
  };
  return (
    <section class="card wide" aria-labelledby="keys-title">
      <header class="row">
        <h1 id="keys-title">Keys</h1>
        <button type="button" class="main end" onClick={() => setStep({ is: 'create' })}>
          Create a key
        </button>
      </header>
      {error !== null && <Failure error={error} />}
      {data === null && error === null && <Loading what="keys" />}
      {data?.data.length === 0 && (
        <Empty title="No keys yet">Create one for each program and person that calls the API.</Empty>
      )}
      {data !== null && data.data.length > 0 && <KeyList keys={data.data} onStep={setStep} />}
      {step?.is === 'create' && <CreateKey onCreated={(key) => showSecret(key, 'created')} onClose={close} />}
      {step?.is === 'rotate' && (
        <RotateKey of={step.key} onRotated={(key) => showSecret(key, 'rotated')} onClose={close} />
      )}
      {step?.is === 'secret' && <NewSecret of={step.key} verb={step.verb} onClose={close} />}
      {step?.is === 'revoke' && (
        <Confirm
          title={`Revoke ${titleOf(step.key)}?`}
          action="Revoke the key"
          onConfirm={() => revoke(step.key)}
          onClose={close}
        >
          <p>
            Every process refuses it from now on and closes its connections. Running generations continue.
            This cannot be undone.
          </p>
        </Confirm>
      )}
    </section>
  );
}

interface KeyListProperties {
  readonly keys: readonly KeyView[];
  readonly onStep: (step: Step) => void;
}

function KeyList({ keys, onStep }: KeyListProperties) {
  const [filter, setFilter] = useState('');
  const matching = keys.filter((key) => matches(key, filter.trim().toLowerCase()));
  return (
    <>
      {keys.length >= FILTER_FROM && (
        <div class="field narrow">
          <label for="key-filter">Find by name, user, team or id</label>
          <input
            id="key-filter"
            type="search"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </div>
      )}
      {matching.length === 0 && <p class="muted">No key matches.</p>}
      {matching.length > 0 && (
        <table class="list">
          <caption class="visually-hidden">Keys of this tenant</caption>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">User</th>
              <th scope="col">Scopes</th>
              <th scope="col">Created</th>
              <th scope="col">Last used</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {matching.slice(0, MOST_SHOWN).map((key) => (
              <KeyRow key={key.id} of={key} onStep={onStep} />
            ))}
          </tbody>
        </table>
      )}
      {matching.length > MOST_SHOWN && (
        <p class="hint">
          The first {MOST_SHOWN} of {matching.length}. Find the others with the field above.
        </p>
      )}
    </>
  );
}

function KeyRow({ of: key, onStep }: { of: KeyView; onStep: (step: Step) => void }) {
  return (
    <tr>
      <th scope="row">
        {key.name !== null && <span class="name">{key.name}</span>}
        <code class={key.name === null ? '' : 'muted'}>{key.id}</code>
      </th>
      <td data-name="User">
        {key.user}
        {key.team !== null && <span class="muted"> in {key.team}</span>}
      </td>
      <td data-name="Scopes">{key.scopes.join(', ')}</td>
      <td data-name="Created">
        <Time at={key.createdAt} />
      </td>
      <td data-name="Last used">
        {key.lastUsedAt === null ? <span class="muted">not yet</span> : <Time at={key.lastUsedAt} />}
      </td>
      <td data-name="Expires">
        {key.expiresAt === null ? <span class="muted">never</span> : <Time at={key.expiresAt} />}
        {key.previousUntil !== null && (
          <span class="hint block">
            old secret until <Time at={key.previousUntil} />
          </span>
        )}
      </td>
      <td class="buttons">
        <button type="button" class="small" onClick={() => onStep({ is: 'rotate', key })}>
          Rotate<span class="visually-hidden"> {titleOf(key)}</span>
        </button>
        <button type="button" class="small bad" onClick={() => onStep({ is: 'revoke', key })}>
          Revoke<span class="visually-hidden"> {titleOf(key)}</span>
        </button>
      </td>
    </tr>
  );
}

function titleOf({ name, id }: KeyView): string {
  return name ?? id;
}

function matches({ id, name, user, team }: KeyView, text: string): boolean {
  return [id, name, user, team].some((field) => field?.toLowerCase().includes(text));
}
