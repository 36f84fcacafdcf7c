/** Budgets: the limits of the tenant with what is spent of them, and every window of one user, team or key. */
import { canAdminister, session } from '../../session.ts';
import { Empty } from '../parts.tsx';
import { Balances } from './balances.tsx';
import { LimitList } from './limit-list.tsx';

export function Budgets() {
  if (session.value !== null && !canAdminister.value) {
    return (
      <section class="card">
        <h1>Budgets</h1>
        <Empty title="Budgets are visible to keys with the scope admin">
          What you have spent is under Usage. Ask an administrator of {session.value.tenant} for your limits.
        </Empty>
      </section>
    );
  }
  return (
    <div class="stack">
      <h1>Budgets</h1>
      <LimitList />
      <Balances />
    </div>
  );
}
