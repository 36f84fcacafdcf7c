/** The answers of `/v1/budgets`, and how they are shown. */
import type { BudgetLimit, BudgetStanding, BudgetUnit } from '../../../../../contracts/budgets.ts';
import { formatCost, formatCount } from '../../format.ts';

/** The part of `GET /v1/budgets/balances` that the page shows. */
export interface BalancesView {
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
export type WindowBalance = BalancesView['data'][number];

/** An element of `GET /v1/budgets/limits`. */
export type LimitView = BudgetLimit & { readonly name: string; readonly source: 'config' | 'set' };

export function amountOf(unit: BudgetUnit, amount: number): string {
  return unit === 'tokens' ? `${formatCount(amount)} tokens` : formatCost(amount);
}

export function subjectOf({ per, id }: Pick<BudgetLimit, 'per' | 'id'>): string {
  return id === '*' ? `each ${per}` : `${per} ${id}`;
}

export function balancesPath(per: string, id: string): string {
  return `/v1/budgets/balances?per=${per}&id=${encodeURIComponent(id)}`;
}
