/** Budgets: the use of one user, team or key in each window, and the limits of the tenant. */
import { useCallback, useState } from 'preact/hooks';
import type {
  BudgetLimit,
  BudgetStanding,
  BudgetSubjectKind,
  BudgetUnit,
} from '../../../../../contracts/budgets.ts';
import { formatCost, formatCount, formatTime } from '../../format.ts';
import { canAdminister, getJson, session } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Badge, Failure } from '../parts.tsx';

/** The part of `GET /v1/budgets/balances` that the page shows. */
interface Balances {
  readonly data: readonly {
    readonly window: string;
    readonly resetsAtMs: number;
    readonly spentTokens: number;
    readonly reservedTokens: number;
    readonly spentMicroUsd: number;
    readonly reservedMicroUsd: number;
    readonly limits: readonly (BudgetStanding & Pick<BudgetLimit, 'mode'>)[];
  }[];
}
type Window = Balances['data'][number];

/** The part of `GET /v1/budgets/limits` that the page shows. */
interface Limits {
  readonly data: readonly (BudgetLimit & { readonly name: string })[];
}

const SUBJECTS: readonly BudgetSubjectKind[] = ['user', 'team', 'key'];

export function Budgets() {
  if (session.value !== null && !canAdminister.value) {
    return <p class="card">Budgets are visible to keys with the scope admin.</p>;
  }
  return (
    <div class="stack">
      <h1>Budgets</h1>
      <Standing />
      <LimitList />
    </div>
  );
}

function Standing() {
  const [subject, setSubject] = useState({ per: 'user', id: session.value?.user ?? '' });
  const id = subject.id || (session.value?.user ?? '');
  const path = `/v1/budgets/balances?per=${subject.per}&id=${encodeURIComponent(id)}`;
  const load = useCallback(() => (id === '' ? never<Balances>() : getJson<Balances>(path)), [path, id]);
  const { data, error } = usePolled(load);
  const choose = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const fields = new FormData(event.currentTarget);
    setSubject({ per: String(fields.get('per')), id: String(fields.get('id')).trim() });
  };
  return (
    <section class="card" aria-labelledby="standing-title">
      <header class="row">
        <h2 id="standing-title">
          {subject.per} {id}
        </h2>
        <form class="row choose" onSubmit={choose}>
          <label for="per">Subject</label>
          <select id="per" name="per">
            {SUBJECTS.map((per) => (
              <option key={per}>{per}</option>
            ))}
          </select>
          <label for="subject">Name</label>
          <input id="subject" name="id" defaultValue={id} required maxLength={128} />
          <button type="submit">Show</button>
        </form>
      </header>
      {error !== null && <Failure error={error} />}
      {data?.data.length === 0 && <p class="muted">No usage yet.</p>}
      {data?.data.map((window) => (
        <WindowBalance key={window.window} window={window} />
      ))}
    </section>
  );
}

function WindowBalance({ window }: { window: Window }) {
  return (
    <section class="window" aria-label={nameOf(window)}>
      <h3>
        {nameOf(window)} <span class="muted">until {formatTime(window.resetsAtMs)}</span>
      </h3>
      <Sum unit="tokens" spent={window.spentTokens} reserved={window.reservedTokens} limits={window.limits} />
      <Sum
        unit="micro-usd"
        spent={window.spentMicroUsd}
        reserved={window.reservedMicroUsd}
        limits={window.limits}
      />
    </section>
  );
}

interface SumOf {
  readonly unit: BudgetUnit;
  readonly spent: number;
  readonly reserved: number;
  readonly limits: Window['limits'];
}

function Sum({ unit, spent, reserved, limits }: SumOf) {
  const limit = limits.find((standing) => standing.unit === unit);
  const share = (amount: number) => `${Math.min(100, (100 * amount) / Math.max(1, limit?.limit ?? 1))}%`;
  return (
    <div class="sum">
      <p>
        <strong>{amountOf(unit, spent)}</strong> spent
        {reserved > 0 && `, ${amountOf(unit, reserved)} reserved`}
        {limit !== undefined && `, of ${amountOf(unit, limit.limit)}`}
        {limit?.mode === 'soft' && ' (soft limit)'}
      </p>
      {limit !== undefined && (
        <div class={spent + reserved >= limit.limit ? 'meter full' : 'meter'} aria-hidden="true">
          <span style={{ width: share(spent) }} />
          <span class="caught-up" style={{ width: share(reserved) }} />
        </div>
      )}
    </div>
  );
}

function LimitList() {
  const load = useCallback(() => getJson<Limits>('/v1/budgets/limits'), []);
  const { data, error } = usePolled(load);
  return (
    <section class="card" aria-labelledby="limits-title">
      <h2 id="limits-title">Limits</h2>
      {error !== null && <Failure error={error} />}
      {data?.data.length === 0 && (
        <p class="muted">No limits. Set them in the config, by the API or with the CLI.</p>
      )}
      {data !== null && data.data.length > 0 && (
        <table class="list">
          <caption class="visually-hidden">Limits of this tenant</caption>
          <thead>
            <tr>
              <th scope="col">Subject</th>
              <th scope="col">Window</th>
              <th scope="col" class="number">
                Amount
              </th>
              <th scope="col">Kind</th>
              <th scope="col" class="number">
                Warns at
              </th>
            </tr>
          </thead>
          <tbody>
            {data.data.map((limit) => (
              <tr key={limit.name}>
                <th scope="row">{limit.id === '*' ? `each ${limit.per}` : `${limit.per} ${limit.id}`}</th>
                <td data-name="Window">{limit.window}</td>
                <td data-name="Amount" class="number">
                  {limit.amount === null ? 'no limit' : amountOf(limit.unit, limit.amount)}
                </td>
                <td data-name="Kind">
                  <Badge tone={limit.mode === 'hard' ? 'plain' : 'late'}>{limit.mode}</Badge>
                </td>
                <td data-name="Warns at" class="number">
                  {Math.round(limit.warnAt * 100)} %
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** `day[UTC]` becomes `day (UTC)`. */
function nameOf({ window }: Window): string {
  return window.replace(/\[(.+)\]$/, ' ($1)');
}

function amountOf(unit: BudgetUnit, amount: number): string {
  return unit === 'tokens' ? `${formatCount(amount)} tokens` : formatCost(amount);
}

/** Pending until the session is loaded, which names the user whose budget is shown first. */
function never<Answer>(): Promise<Answer> {
  return new Promise(() => undefined);
}
