/** What the budget ledger wrote for a run: what was reserved, what it was charged, and what was released. */
import { useCallback } from 'preact/hooks';
import { dayOf } from '../../../../../contracts/time.ts';
import { formatCost, formatCount } from '../../format.ts';
import { getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Failure, Time } from '../parts.tsx';

/** The part of `GET /v1/budgets/entries` that the page shows: each entry changes four sums. */
interface Entries {
  readonly data: readonly {
    readonly id: string;
    readonly kind: 'reserve' | 'extend' | 'raise' | 'debit' | 'release';
    readonly at: number;
    readonly spentTokens: number;
    readonly reservedTokens: number;
    readonly spentMicroUsd: number;
    readonly reservedMicroUsd: number;
    readonly attempt: number;
    readonly estimated: boolean;
  }[];
}

const KINDS = {
  reserve: 'Reserved',
  extend: 'Reserved for another call',
  raise: 'Cap raised',
  debit: 'Charged',
  release: 'Released',
} as const;

interface SettlementProps {
  readonly id: string;
  readonly fromMs: number;
  readonly untilMs: number | null;
}

export function Settlement({ id, fromMs, untilMs }: SettlementProps) {
  const days = `from=${dayOf(fromMs)}&until=${dayOf(untilMs ?? Date.now())}`;
  const path = `/v1/budgets/entries?generation=${encodeURIComponent(id)}&${days}`;
  const load = useCallback(() => getJson<Entries>(path), [path]);
  const { data, error } = usePolled(load);
  return (
    <section class="card" aria-labelledby="settlement-title">
      <h2 id="settlement-title">Settlement</h2>
      {error !== null && <Failure error={error} />}
      {data?.data.length === 0 && <p class="muted">The budget ledger has no entry of this run.</p>}
      {data !== null && data.data.length > 0 && (
        <table class="list">
          <caption class="visually-hidden">Entries of the budget ledger</caption>
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col" class="number">
                Tokens
              </th>
              <th scope="col" class="number">
                Amount
              </th>
              <th scope="col">Time</th>
            </tr>
          </thead>
          <tbody>
            {data.data.map((entry) => (
              <EntryRow key={entry.id} entry={entry} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function EntryRow({ entry }: { entry: Entries['data'][number] }) {
  const isCharge = entry.kind === 'debit';
  const tokens = isCharge ? entry.spentTokens : Math.abs(entry.reservedTokens);
  const microUsd = isCharge ? entry.spentMicroUsd : Math.abs(entry.reservedMicroUsd);
  return (
    <tr>
      <th scope="row">
        {KINDS[entry.kind]}
        {isCharge && entry.attempt > 0 && <span class="muted"> for attempt {entry.attempt}</span>}
        {entry.estimated && <span class="tag">estimated</span>}
      </th>
      <td data-name="Tokens" class="number">
        {formatCount(tokens)}
      </td>
      <td data-name="Amount" class="number">
        {formatCost(microUsd)}
      </td>
      <td data-name="Time">
        <Time at={entry.at} />
      </td>
    </tr>
  );
}
