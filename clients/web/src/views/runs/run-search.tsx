/** The form that searches the list of runs. */
import type { GenerationStatus } from '../../../../../contracts/generation.ts';
import { session } from '../../session.ts';

/** The terms of a search, empty where they do not matter. Times are those of the browser's clock. */
export interface RunSearch {
  readonly user: string;
  readonly model: string;
  readonly status: string;
  readonly prompt: string;
  readonly from: string;
  readonly until: string;
}
export const NO_SEARCH: RunSearch = { user: '', model: '', status: '', prompt: '', from: '', until: '' };

/** Not the list of contracts/generation.ts, which would bring the schemas of a request into this view. */
const STATUSES: readonly GenerationStatus[] = ['running', 'completed', 'failed', 'cancelled'];

interface RunSearchFormProperties {
  readonly search: RunSearch;
  readonly onSearch: (search: RunSearch) => void;
}

export function RunSearchForm({ search, onSearch }: RunSearchFormProperties) {
  const seesAll = session.value?.scopes.includes('any-user') ?? false;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const fields = new FormData(event.currentTarget);
    const of = (name: string) => String(fields.get(name) ?? '').trim();
    const terms = {
      user: of('user'),
      model: of('model'),
      status: of('status'),
      prompt: of('prompt'),
      from: instantOf(of('from')),
      until: instantOf(of('until')),
    };
    onSearch(Object.values(terms).every((term) => term === '') ? NO_SEARCH : terms);
  };
  return (
    <search>
      <form class="filters" onSubmit={submit}>
        {seesAll && <Term label="User" name="user" value={search.user} />}
        <Term label="Model" name="model" value={search.model} placeholder="provider/model" />
        <div class="field">
          <label for="run-status">Status</label>
          <select id="run-status" name="status">
            <option value="">any</option>
            {STATUSES.map((status) => (
              <option key={status} selected={status === search.status}>
                {status}
              </option>
            ))}
          </select>
        </div>
        <Term label="Prompt" name="prompt" value={search.prompt} placeholder="name or name@2" />
        <TimeTerm label="From" name="from" value={localOf(search.from)} />
        <TimeTerm label="Until" name="until" value={localOf(search.until)} />
        <div class="row">
          <button type="submit" class="main">
            Search
          </button>
          {search !== NO_SEARCH && (
            <button type="button" onClick={() => onSearch(NO_SEARCH)}>
              Show all
            </button>
          )}
        </div>
      </form>
    </search>
  );
}

interface TermProperties {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly placeholder?: string;
}

function Term({ label, name, value, placeholder = '' }: TermProperties) {
  const id = `run-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        maxLength={200}
        placeholder={placeholder}
        defaultValue={value}
        autocomplete="off"
      />
    </div>
  );
}

function TimeTerm({ label, name, value }: Omit<TermProperties, 'placeholder'>) {
  const id = `run-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} name={name} type="datetime-local" defaultValue={value} />
    </div>
  );
}

/** A time on the browser's clock as an ISO instant. */
function instantOf(local: string): string {
  return local === '' ? '' : new Date(local).toISOString();
}

function localOf(instant: string): string {
  if (instant === '') return '';
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
