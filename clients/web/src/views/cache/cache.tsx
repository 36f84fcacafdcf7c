/** The answer cache: find entries, read them, and delete those that must not be used again. */
import { computed } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { CachedEntry } from '../../../../../contracts/cached-entries.ts';
import { LIMITS } from '../../../../../contracts/limits.ts';
import { formatCount } from '../../format.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { canAdminister, sendJson, session } from '../../session.ts';
import { usePages } from '../../use-pages.ts';
import { Empty, Failure, Loading, Time } from '../parts.tsx';
import { EntryDialog } from './entry-dialog.tsx';

const PAGE = 20;
/** The longest text that the API searches for. */
const MOST_CHARS = LIMITS.searchedTextChars;
/** A list that reloads under a reader's eyes cannot be read. */
const RELOAD_MS = 30_000;

interface Search {
  readonly text: string;
  readonly user: string;
  readonly model: string;
  /** The entry whose similar ones are listed. */
  readonly like: string;
}
const NO_SEARCH: Search = { text: '', user: '', model: '', like: '' };

/** Other keys see the entries of the user they belong to. */
const seesAll = computed(() => canAdminister.value || session.value?.scopes.includes('any-user') === true);

type Step =
  | { readonly is: 'read' | 'delete'; readonly entry: CachedEntry }
  | { readonly is: 'delete-user'; readonly user: string }
  | { readonly is: 'delete-all' };

export function Cache() {
  const [search, setSearch] = useState(NO_SEARCH);
  const { items, error, more, isLoading, reload } = usePages<CachedEntry>(pathOf(search), RELOAD_MS);
  const [step, setStep] = useState<Step | null>(null);
  const [notice, setNotice] = useState('');
  const close = () => setStep(null);
  const isAll = Object.values(search).every((field) => field === '');
  const deleteAt = async (path: string) => {
    const { deleted } = await sendJson<{ deleted: number }>('DELETE', path);
    close();
    setNotice(deleted === 1 ? '1 entry is deleted.' : `${formatCount(deleted)} entries are deleted.`);
    reload();
  };
  return (
    <section class="card wide" aria-labelledby="cache-title">
      <header class="row">
        <h1 id="cache-title">Cache</h1>
        {canAdminister.value && (
          <div class="row end">
            {search.user !== '' && (
              <button
                type="button"
                class="small bad"
                onClick={() => setStep({ is: 'delete-user', user: search.user })}
              >
                Delete all of {search.user}
              </button>
            )}
            <button type="button" class="small bad" onClick={() => setStep({ is: 'delete-all' })}>
              Delete all
            </button>
          </div>
        )}
      </header>
      <SearchForm key={JSON.stringify(search)} search={search} onSearch={setSearch} />
      <p role="status" class="notice">
        {notice}
      </p>
      {error !== null && <Failure error={error} />}
      {items === null && error === null && <Loading what="entries" />}
      {items?.length === 0 && <NoEntries isAll={isAll} />}
      {items !== null && items.length > 0 && <EntryTable entries={items} onStep={setStep} />}
      {more !== null && (
        <p>
          <button type="button" disabled={isLoading} onClick={more}>
            Show more
          </button>
        </p>
      )}
      {step !== null && (
        <StepDialog
          step={step}
          onStep={setStep}
          onLike={(like) => {
            close();
            setSearch({ ...NO_SEARCH, like });
          }}
          onDelete={deleteAt}
        />
      )}
    </section>
  );
}

interface SearchFormProperties {
  readonly search: Search;
  readonly onSearch: (search: Search) => void;
}

function SearchForm({ search, onSearch }: SearchFormProperties) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const fields = new FormData(event.currentTarget);
    const of = (name: string) => String(fields.get(name) ?? '').trim();
    onSearch({ text: of('text'), user: of('user'), model: of('model'), like: '' });
  };
  const isAll = Object.values(search).every((field) => field === '');
  return (
    <search>
      <form class="filters" onSubmit={submit}>
        <div class="field grow">
          <label for="cache-text">Words of the question or the answer</label>
          <input
            id="cache-text"
            name="text"
            type="search"
            minLength={2}
            maxLength={MOST_CHARS}
            defaultValue={search.text}
          />
        </div>
        {seesAll.value && (
          <div class="field">
            <label for="cache-user">User</label>
            <input
              id="cache-user"
              name="user"
              maxLength={128}
              defaultValue={search.user}
              autocomplete="off"
            />
          </div>
        )}
        <div class="field">
          <label for="cache-model">Model</label>
          <input
            id="cache-model"
            name="model"
            maxLength={200}
            placeholder="provider/model"
            defaultValue={search.model}
            autocomplete="off"
          />
        </div>
        <div class="row">
          <button type="submit" class="main">
            Find
          </button>
          {!isAll && (
            <button type="button" onClick={() => onSearch(NO_SEARCH)}>
              Show all
            </button>
          )}
        </div>
      </form>
      {search.like !== '' && <p class="hint">Similar questions to that of an entry, closest first.</p>}
    </search>
  );
}

function NoEntries({ isAll }: { isAll: boolean }) {
  return isAll ? (
    <Empty title="Nothing is stored yet">
      Answers to requests with the cache on are stored, and the next similar question gets them at once and at
      no cost.
    </Empty>
  ) : (
    <Empty title="No entry matches">Try other words, or fewer filters.</Empty>
  );
}

function complaintsText(complaints: number): string {
  const count = complaints === 1 ? '1 complaint' : `${complaints} complaints`;
  return complaints >= LIMITS.complaintsToSameWords ? `${count}: found by the same words only` : count;
}

interface EntryTableProperties {
  readonly entries: readonly CachedEntry[];
  readonly onStep: (step: Step) => void;
}

function EntryTable({ entries, onStep }: EntryTableProperties) {
  const hasSimilarity = entries.some(({ similarity }) => similarity !== null);
  return (
    <table class="list entries">
      <caption class="visually-hidden">Stored answers</caption>
      <thead>
        <tr>
          <th scope="col">Question and answer</th>
          {hasSimilarity && (
            <th scope="col" class="number">
              Similarity
            </th>
          )}
          <th scope="col">Model</th>
          <th scope="col">User</th>
          <th scope="col" class="number">
            Tokens
          </th>
          <th scope="col">Stored</th>
          <th scope="col">Expires</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <th scope="row">
              <button type="button" class="link" onClick={() => onStep({ is: 'read', entry })}>
                {entry.question}
              </button>
              <span class="hint clamp">{entry.answer}</span>
              {entry.complaints > 0 && <span class="hint warn">{complaintsText(entry.complaints)}</span>}
            </th>
            {hasSimilarity && (
              <td data-name="Similarity" class="number">
                {entry.similarity?.toFixed(2) ?? '–'}
              </td>
            )}
            <td data-name="Model">
              {entry.provider}/{entry.model}
            </td>
            <td data-name="User">{entry.user}</td>
            <td data-name="Tokens" class="number">
              {formatCount(entry.tokens)}
            </td>
            <td data-name="Stored">
              <Time at={entry.storedAt} />
            </td>
            <td data-name="Expires">
              <Time at={entry.expiresAt} />
            </td>
            <td class="buttons">
              <button type="button" class="small bad" onClick={() => onStep({ is: 'delete', entry })}>
                Delete<span class="visually-hidden"> the answer to {entry.question}</span>
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface StepDialogProperties {
  readonly step: Step;
  readonly onStep: (step: Step | null) => void;
  readonly onLike: (id: string) => void;
  readonly onDelete: (path: string) => Promise<void>;
}

function StepDialog({ step, onStep, onLike, onDelete }: StepDialogProperties) {
  const close = () => onStep(null);
  switch (step.is) {
    case 'read':
      return (
        <EntryDialog
          id={step.entry.id}
          onLike={() => onLike(step.entry.id)}
          onDelete={() => onStep({ is: 'delete', entry: step.entry })}
          onClose={close}
        />
      );
    case 'delete':
      return (
        <Confirm
          title="Delete this stored answer?"
          action="Delete the answer"
          onConfirm={() => onDelete(`/v1/cache/entries/${encodeURIComponent(step.entry.id)}`)}
          onClose={close}
        >
          <p class="quote">{step.entry.question}</p>
          <p>The next such question is answered by a model, at its cost.</p>
        </Confirm>
      );
    case 'delete-user':
      return (
        <Confirm
          title={`Delete all stored answers of ${step.user}?`}
          action="Delete them all"
          onConfirm={() => onDelete(`/v1/cache/users/${encodeURIComponent(step.user)}`)}
          onClose={close}
        >
          <p>Answers to the questions of this user are deleted. This cannot be undone.</p>
        </Confirm>
      );
    case 'delete-all':
      return (
        <Confirm
          title="Delete all stored answers?"
          action="Delete the whole cache"
          onConfirm={() => onDelete('/v1/cache')}
          onClose={close}
        >
          <p>The cache of this tenant starts empty: until it is filled, every question is paid again.</p>
        </Confirm>
      );
  }
}

function pathOf(search: Search): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries(search)) if (value !== '') query.set(name, value);
  return `/v1/cache/entries?${query}`;
}
