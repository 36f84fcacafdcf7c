/** The limits of the tenant: set, edit and remove them. */
import { useState } from 'preact/hooks';
import { type BudgetKey, budgetKeySchema } from '../../../../../contracts/budgets.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { getJson, sendJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Badge, Empty, Failure, Loading } from '../parts.tsx';
import { Meter } from './balances.tsx';
import { LimitForm } from './limit-form.tsx';
import { amountOf, type BalancesView, balancesPath, type LimitView, subjectOf } from './shapes.ts';

/** The most limits in one answer of the API, and how many pages of them are read. */
const PAGE = 1_000;
/** The balances of so many subjects are read for the list; the card below shows any other. */
const MOST_BALANCES = 20;
const SPENT_EVERY_MS = 10_000;

type Step = { readonly is: 'set' } | { readonly is: 'edit' | 'remove'; readonly limit: LimitView };

interface LimitPage {
  readonly data: readonly LimitView[];
  readonly next: string | null;
}

/** A limit, and what is spent of it: null if that is not one number, as of a limit for each user. */
interface Standing {
  readonly limit: LimitView;
  readonly spent: number | null;
  readonly reserved: number;
}

export function LimitList() {
  const { data: standings, error, reload } = usePolled(loadStandings, SPENT_EVERY_MS);
  const [step, setStep] = useState<Step | null>(null);
  const close = () => setStep(null);
  const done = () => {
    close();
    reload();
  };
  const remove = async (limit: LimitView) => {
    await sendJson('DELETE', `/v1/budgets/limits?${new URLSearchParams(keyOf(limit))}`);
    done();
  };
  return (
    <section class="card" aria-labelledby="limits-title">
      <header class="row">
        <h2 id="limits-title">Limits</h2>
        <button type="button" class="main end" onClick={() => setStep({ is: 'set' })}>
          Set a limit
        </button>
      </header>
      {error !== null && <Failure error={error} />}
      {standings === null && error === null && <Loading what="limits" />}
      {standings?.length === 0 && (
        <Empty title="No limits: nothing is refused">
          Set one for each user, or for one user, team or key. A request that would exceed it is refused
          before it costs anything.
        </Empty>
      )}
      {standings !== null && standings.length > 0 && <LimitTable standings={standings} onStep={setStep} />}
      {step?.is === 'set' && <LimitForm limit={null} onDone={done} onClose={close} />}
      {step?.is === 'edit' && <LimitForm limit={step.limit} onDone={done} onClose={close} />}
      {step?.is === 'remove' && (
        <Confirm
          title={`Remove the limit of ${subjectOf(step.limit)}?`}
          action="Remove the limit"
          onConfirm={() => remove(step.limit)}
          onClose={close}
        >
          <p>
            The next request is no longer refused or warned by it. A limit for the same window in the config,
            or one for each {step.limit.per}, applies again.
          </p>
        </Confirm>
      )}
    </section>
  );
}

interface LimitTableProperties {
  readonly standings: readonly Standing[];
  readonly onStep: (step: Step) => void;
}

function LimitTable({ standings, onStep }: LimitTableProperties) {
  return (
    <table class="list">
      <caption class="visually-hidden">Limits of this tenant</caption>
      <thead>
        <tr>
          <th scope="col">Subject</th>
          <th scope="col">Window</th>
          <th scope="col" class="number">
            Amount
          </th>
          <th scope="col">Spent</th>
          <th scope="col">Kind</th>
          <th scope="col" class="number">
            Warns at
          </th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {standings.map((standing) => (
          <LimitRow key={standing.limit.name} standing={standing} onStep={onStep} />
        ))}
      </tbody>
    </table>
  );
}

function LimitRow({ standing, onStep }: { standing: Standing; onStep: (step: Step) => void }) {
  const { limit } = standing;
  const hidden = <span class="visually-hidden"> the limit of {subjectOf(limit)}</span>;
  return (
    <tr>
      <th scope="row">{subjectOf(limit)}</th>
      <td data-name="Window">
        {limit.window}
        {limit.timeZone !== undefined && <span class="hint block">{limit.timeZone}</span>}
      </td>
      <td data-name="Amount" class="number">
        {limit.amount === null ? 'no limit' : amountOf(limit.unit, limit.amount)}
      </td>
      <td data-name="Spent">
        <Spent standing={standing} />
      </td>
      <td data-name="Kind">
        <Badge tone={limit.mode === 'hard' ? 'plain' : 'late'}>{limit.mode}</Badge>
      </td>
      <td data-name="Warns at" class="number">
        {Math.round(limit.warnAt * 100)} %
      </td>
      <td class="buttons">
        <button type="button" class="small" onClick={() => onStep({ is: 'edit', limit })}>
          Edit{hidden}
        </button>
        {limit.source === 'set' ? (
          <button type="button" class="small bad" onClick={() => onStep({ is: 'remove', limit })}>
            Remove{hidden}
          </button>
        ) : (
          <span class="hint">from the config</span>
        )}
      </td>
    </tr>
  );
}

function Spent({ standing: { limit, spent, reserved } }: { standing: Standing }) {
  if (spent === null) return <span class="muted">{limit.id === '*' ? `per ${limit.per}, below` : '–'}</span>;
  return (
    <div class="sum">
      <span>
        {amountOf(limit.unit, spent)}
        {reserved > 0 && <span class="muted"> + {amountOf(limit.unit, reserved)} reserved</span>}
      </span>
      {limit.amount !== null && <Meter spent={spent} reserved={reserved} limit={limit.amount} />}
    </div>
  );
}

async function loadStandings(): Promise<Standing[]> {
  const limits = await loadLimits();
  const subjects = new Map(limits.filter(({ id }) => id !== '*').map((limit) => [subjectOf(limit), limit]));
  const balances = new Map<string, BalancesView>();
  await Promise.all(
    [...subjects].slice(0, MOST_BALANCES).map(async ([subject, { per, id }]) => {
      balances.set(subject, await getJson<BalancesView>(balancesPath(per, id)));
    }),
  );
  return limits.map((limit) => standingOf(limit, balances.get(subjectOf(limit))));
}

async function loadLimits(): Promise<LimitView[]> {
  const limits: LimitView[] = [];
  let after: string | null = '';
  while (after !== null) {
    const query = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
    const page: LimitPage = await getJson<LimitPage>(`/v1/budgets/limits?limit=${PAGE}${query}`);
    limits.push(...page.data);
    after = page.next;
  }
  return limits;
}

/** A limit of `null` exempts its subject, so no window counts for it. */
function standingOf(limit: LimitView, balances: BalancesView | undefined): Standing {
  for (const window of balances?.data ?? []) {
    const standing = window.limits.find((each) => each.window === limit.window && each.unit === limit.unit);
    if (standing === undefined) continue;
    const reserved = limit.unit === 'tokens' ? window.reservedTokens : window.reservedMicroUsd;
    return { limit, spent: standing.spent, reserved };
  }
  return { limit, spent: null, reserved: 0 };
}

function keyOf({ per, id, window, unit }: LimitView): Record<keyof BudgetKey, string> {
  return budgetKeySchema.parse({ per, id, window, unit });
}
