/** The runs that the caller may read: search them by user, model, status, prompt and time. */
import { signal } from '@preact/signals';
import { linkTo } from '../../router.ts';
import { usePages } from '../../use-pages.ts';
import { Empty, Failure, Loading } from '../parts.tsx';
import { NO_SEARCH, type RunSearch, RunSearchForm } from './run-search.tsx';
import { type Run, RunTable } from './run-table.tsx';

const PAGE = 50;

/** Kept while the tab is open, so that it is there again after a look at a run. */
const search = signal<RunSearch>(NO_SEARCH);

export function Runs() {
  const isAll = search.value === NO_SEARCH;
  const { items: runs, error, more, isLoading } = usePages<Run>(pathOf(search.value));
  return (
    <section class="card wide" aria-labelledby="runs-title">
      <h1 id="runs-title">Runs</h1>
      <RunSearchForm
        key={JSON.stringify(search.value)}
        search={search.value}
        onSearch={(next) => {
          search.value = next;
        }}
      />
      {error !== null && <Failure error={error} />}
      {runs === null && error === null && <Loading what="runs" />}
      {runs?.length === 0 && more === null && (
        <Empty title={isAll ? 'None yet.' : 'No run matches.'}>
          {isAll ? <a href={linkTo('chat')}>Generate something.</a> : 'Search with fewer or other terms.'}
        </Empty>
      )}
      {runs !== null && runs.length > 0 && <RunTable runs={runs} />}
      {more !== null && (
        <p>
          <button type="button" disabled={isLoading} onClick={more}>
            Show more
          </button>
        </p>
      )}
    </section>
  );
}

function pathOf(terms: RunSearch): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries(terms)) if (value !== '') query.set(name, value);
  return `/v1/generations?${query}`;
}
