/** One batch: how far it is, how its lines have ended, what it costs, and its files. */
import { useCallback, useState } from 'preact/hooks';
import { type BatchFault, isFinal } from '../../../../../contracts/batches.ts';
import { HOUR_MS } from '../../../../../contracts/time.ts';
import { formatCost, formatCount, formatPerSecond, formatTime, shortId } from '../../format.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { linkTo } from '../../router.ts';
import { getJson, sendJson, temporalLink } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { ExternalLink, Fact, Failure, Loading } from '../parts.tsx';
import { BatchFiles } from './batch-files.tsx';
import { BatchStatusBadge, OutcomeMeter } from './batch-progress.tsx';
import { type Batch, doneOf, endedAtMs, pollEvery, waitSentence } from './batch-shape.ts';

/** Nothing about it changes any more. */
const everyMs = (batch: Batch) => (isFinal(batch.status) ? HOUR_MS : pollEvery([batch]));

export function BatchPage({ id }: { id: string }) {
  const path = `/v1/batches/${encodeURIComponent(id)}`;
  const load = useCallback(() => getJson<Batch>(path), [path]);
  const { data: batch, error, reload } = usePolled(load, everyMs);
  const [isAsking, setAsking] = useState(false);
  const link = temporalLink(id);
  const cancel = async () => {
    await sendJson('POST', `${path}/cancel`, {});
    setAsking(false);
    reload();
  };
  return (
    <div class="stack">
      <p class="back">
        <a href={linkTo('batches')}>All batches</a>
      </p>
      <header class="row title">
        <h1>
          Batch <code title={id}>{shortId(id)}</code>
        </h1>
        {batch !== null && <BatchStatusBadge status={batch.status} />}
        <div class="row actions">
          {link !== null && <ExternalLink href={link}>Temporal</ExternalLink>}
          {batch !== null && mayCancel(batch) && (
            <button type="button" class="small bad" onClick={() => setAsking(true)}>
              Cancel
            </button>
          )}
        </div>
      </header>
      {error !== null && <Failure error={error} />}
      {batch === null && error === null && <Loading what="the batch" />}
      {batch !== null && <Body batch={batch} />}
      {isAsking && (
        <Confirm
          title="Cancel this batch?"
          action="Cancel the batch"
          onConfirm={cancel}
          onClose={() => setAsking(false)}
        >
          <p>
            No further line begins. Lines that run have 30 seconds to end, because they are paid for. What has
            ended is kept.
          </p>
        </Confirm>
      )}
    </div>
  );
}

function mayCancel({ status }: Batch): boolean {
  return status === 'validating' || status === 'in_progress';
}

function Body({ batch }: { batch: Batch }) {
  return (
    <>
      <section class="card" aria-labelledby="progress-title">
        <h2 id="progress-title">Progress</h2>
        <p role="status">{sentenceOf(batch)}</p>
        {batch.request_counts.total > 0 && <OutcomeMeter batch={batch} />}
        <Facts batch={batch} />
      </section>
      {batch.errors !== null && <Faults faults={batch.errors.data} />}
      <BatchFiles batch={batch} />
    </>
  );
}

function sentenceOf(batch: Batch): string {
  const { status, request_counts: counts, estimated_completion_at: estimated } = batch;
  const lines = `${formatCount(doneOf(batch))} of ${formatCount(counts.total)} lines have ended`;
  switch (status) {
    case 'validating':
      return 'Its file is being checked.';
    case 'in_progress':
      if (batch.handover?.status === 'waiting') return waitSentence(batch.handover);
      return estimated === null
        ? `${lines}.`
        : `${lines}; the last one should end at about ${formatTime(estimated * 1_000)}.`;
    case 'finalizing':
      return `${lines}; their files are being written.`;
    case 'cancelling':
      return `${lines}; no further one begins.`;
    case 'completed':
      return 'It is complete.';
    case 'failed':
      return 'Its file was refused, and nothing was sent.';
    case 'expired':
      return 'Its time was over before all lines had ended.';
    case 'cancelled':
      return 'It was cancelled.';
  }
}

function Facts({ batch }: { batch: Batch }) {
  const { completed, failed, cancelled, expired } = batch.request_outcomes;
  const ended = endedAtMs(batch);
  const rate = batch.requests_per_second;
  return (
    <dl class="facts">
      <Fact name="Completed">{formatCount(completed)}</Fact>
      <Fact name="Failed">{formatCount(failed)}</Fact>
      {cancelled > 0 && <Fact name="Cancelled">{formatCount(cancelled)}</Fact>}
      {expired > 0 && <Fact name="Expired">{formatCount(expired)}</Fact>}
      <Fact name="Rate">{rate === null ? '–' : formatPerSecond(rate, 'lines')}</Fact>
      <Fact name="Cost">{formatCost(batch.cost_micro_usd)}</Fact>
      {batch.handover?.reason != null && <Fact name="Not at half price">{batch.handover.reason}</Fact>}
      <Fact name="Tokens">
        {formatCount(batch.usage.input_tokens)} in, {formatCount(batch.usage.output_tokens)} out
      </Fact>
      <Fact name="Endpoint">
        <code>{batch.endpoint}</code>
      </Fact>
      <Fact name="First model">{batch.model ?? '–'}</Fact>
      <Fact name="Created">{formatTime(batch.created_at * 1_000)}</Fact>
      {ended === null ? (
        <Fact name={`Expires after ${batch.completion_window}`}>{formatTime(batch.expires_at * 1_000)}</Fact>
      ) : (
        <Fact name="Ended">{formatTime(ended)}</Fact>
      )}
      {Object.entries(batch.metadata ?? {}).map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}

function Faults({ faults }: { faults: readonly BatchFault[] }) {
  return (
    <section class="card" aria-labelledby="faults-title">
      <h2 id="faults-title">Why the file was refused</h2>
      <table class="list">
        <caption class="visually-hidden">Faults of the file</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              Line
            </th>
            <th scope="col">Code</th>
            <th scope="col">Fault</th>
          </tr>
        </thead>
        <tbody>
          {faults.map(({ line, code, message }, index) => (
            <tr key={index}>
              <td data-name="Line" class="number">
                {line ?? '–'}
              </td>
              <td data-name="Code">
                <code>{code}</code>
              </td>
              <td data-name="Fault">{message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
