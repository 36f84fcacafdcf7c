/** What one user, team or key has spent and reserved, window by window. */
import { useCallback, useState } from 'preact/hooks';
import { type BudgetSubjectKind, type BudgetUnit, budgetSubjects } from '../../../../../contracts/budgets.ts';
import { formatTime } from '../../format.ts';
import { getJson, session } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Failure } from '../parts.tsx';
import { amountOf, type BalancesView, balancesPath, type WindowBalance } from './shapes.ts';

export function Balances() {
  const [subject, setSubject] = useState({ per: 'user', id: session.value?.user ?? '' });
  const id = subject.id || (session.value?.user ?? '');
  const path = balancesPath(subject.per, id);
  const load = useCallback(
    () => (id === '' ? never<BalancesView>() : getJson<BalancesView>(path)),
    [path, id],
  );
  const { data, error } = usePolled(load);
  const choose = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const fields = new FormData(event.currentTarget);
    setSubject({ per: String(fields.get('per')), id: String(fields.get('id')).trim() });
  };
  return (
    <section class="card" aria-labelledby="balances-title">
      <header class="row">
        <h2 id="balances-title">
          {subject.per} {id}
        </h2>
        <form class="row choose" onSubmit={choose}>
          <label for="per">Subject</label>
          <select id="per" name="per">
            {budgetSubjects.map((per: BudgetSubjectKind) => (
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
        <Window key={window.window} window={window} />
      ))}
    </section>
  );
}

function Window({ window }: { window: WindowBalance }) {
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
  readonly limits: WindowBalance['limits'];
}

function Sum({ unit, spent, reserved, limits }: SumOf) {
  const limit = limits.find((standing) => standing.unit === unit);
  return (
    <div class="sum">
      <p>
        <strong>{amountOf(unit, spent)}</strong> spent
        {reserved > 0 && `, ${amountOf(unit, reserved)} reserved`}
        {limit !== undefined && `, of ${amountOf(unit, limit.limit)}`}
        {limit?.mode === 'soft' && ' (soft limit)'}
      </p>
      {limit !== undefined && <Meter spent={spent} reserved={reserved} limit={limit.limit} />}
    </div>
  );
}

/** Decoration: the text beside it has the numbers. */
export function Meter({ spent, reserved, limit }: { spent: number; reserved: number; limit: number }) {
  const share = (amount: number) => `${Math.min(100, (100 * amount) / Math.max(1, limit))}%`;
  return (
    <div class={spent + reserved >= limit ? 'meter full' : 'meter'} aria-hidden="true">
      <span style={{ width: share(spent) }} />
      <span class="caught-up" style={{ width: share(reserved) }} />
    </div>
  );
}

/** `day[UTC]` becomes `day (UTC)`. */
function nameOf({ window }: WindowBalance): string {
  return window.replace(/\[(.+)\]$/, ' ($1)');
}

/** Pending until the session is loaded, which names the user whose budget is shown first. */
function never<Answer>(): Promise<Answer> {
  return new Promise(() => undefined);
}
