/** The batches that the caller may read, the newest first. */
import { signal } from '@preact/signals';
import { isFinal } from '../../../../../contracts/batches.ts';
import { formatCost, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { type FirstPage, usePages } from '../../use-pages.ts';
import { Empty, Failure, Loading, Time } from '../parts.tsx';
import { BatchStatusBadge, Progress } from './batch-progress.tsx';
import { type Batch, endedAtMs, pollEvery } from './batch-shape.ts';

/** Kept while the tab is open, so that it is there again after a look at a batch. */
const format = signal<'openai' | 'anthropic'>('openai');

const everyMs = ({ page }: FirstPage<Batch>) => pollEvery(page.data);

export function Batches() {
  const {
    items: batches,
    error,
    more,
    isLoading,
  } = usePages<Batch>(`/v1/batches?limit=50&format=${format.value}`, everyMs);
  return (
    <section class="card wide" aria-labelledby="batches-title">
      <header class="row">
        <h1 id="batches-title">Batches</h1>
        <div class="row choose">
          <label for="batch-format">Format</label>
          <select
            id="batch-format"
            value={format.value}
            onChange={(event) => {
              format.value = event.currentTarget.value === 'anthropic' ? 'anthropic' : 'openai';
            }}
          >
            <option value="openai">OpenAI</option>
            <option value="anthropic">Anthropic</option>
          </select>
        </div>
      </header>
      {error !== null && <Failure error={error} />}
      {batches === null && error === null && <Loading what="batches" />}
      {batches?.length === 0 && (
        <Empty title="None yet.">
          Send the lines of a file: <code>npx unbroken batches submit prompts.jsonl --out answers.jsonl</code>
        </Empty>
      )}
      {batches !== null && batches.length > 0 && <BatchTable batches={batches} />}
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

function BatchTable({ batches }: { batches: readonly Batch[] }) {
  return (
    <table class="list">
      <caption class="visually-hidden">Batches, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Batch</th>
          <th scope="col">Status</th>
          <th scope="col">Progress</th>
          <th scope="col">Endpoint</th>
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col">Created</th>
          <th scope="col">Ends</th>
        </tr>
      </thead>
      <tbody>
        {batches.map((batch) => (
          <BatchRow key={batch.id} batch={batch} />
        ))}
      </tbody>
    </table>
  );
}

function BatchRow({ batch }: { batch: Batch }) {
  const { id, endpoint, model } = batch;
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('batches', id)} title={id}>
          <code>{shortId(id)}</code>
        </a>
      </th>
      <td data-name="Status">
        <BatchStatusBadge status={batch.status} />
      </td>
      <td data-name="Progress">
        <Progress batch={batch} />
      </td>
      <td data-name="Endpoint">
        <code>{endpoint}</code>
        {model !== null && <span class="hint block">{model}</span>}
      </td>
      <td data-name="Cost" class="number">
        {formatCost(batch.cost_micro_usd)}
      </td>
      <td data-name="Created">
        <Time at={batch.created_at * 1_000} />
      </td>
      <td data-name="Ends">
        <End batch={batch} />
      </td>
    </tr>
  );
}

function End({ batch }: { batch: Batch }) {
  const ended = endedAtMs(batch);
  if (ended !== null) return <Time at={ended} />;
  const { status, estimated_completion_at: estimated, expires_at: expires } = batch;
  if (isFinal(status)) return <>–</>;
  if (estimated === null)
    return (
      <span class="muted">
        by <Time at={expires * 1_000} />
      </span>
    );
  return (
    <>
      about <Time at={estimated * 1_000} />
    </>
  );
}
