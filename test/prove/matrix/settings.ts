/** How the product is configured while it is harmed, and the keys of its tenants. */
import { addKey } from '../../harness/stack.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import type { CheckedLimit } from '../check-budget.ts';
import { LIMITED_PROVIDER, MODELS, type Sharing, TENANTS, type Tenant } from './plan.ts';
import type { Stage } from './stage.ts';

const PRICE = { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 8_000_000 };

export function limitsFor(minutes: number): CheckedLimit[] {
  const share = Math.max(0.5, minutes);
  const perUser = { per: 'user', window: 'day', unit: 'tokens', timeZone: 'UTC' } as const;
  return [
    { ...perUser, id: '*', amount: Math.round(120_000 * share) },
    // One user of each tenant is at the cap most of the time.
    ...TENANTS.map((tenant) => ({ ...perUser, id: `${tenant}-user-1`, amount: Math.round(1_500 * share) })),
    {
      ...perUser,
      per: 'key',
      window: 'month',
      unit: 'micro-usd',
      id: '*',
      amount: Math.round(2_000_000 * share),
    },
  ];
}

export function configOf(limits: readonly CheckedLimit[], sharedProvider: string, sharing: Sharing): object {
  return {
    breaker: { minCalls: 1_000_000 },
    providers: {
      [LIMITED_PROVIDER]: {
        wire: 'openai-responses',
        baseUrl: `${sharedProvider}/v1`,
        // Of four that come at once, two wait for longer than a worker waits by itself.
        limits: { requests: 2, windowMs: 4_000 },
      },
    },
    prices: Object.fromEntries(MODELS.map((model) => [model, PRICE])),
    budgets: { limits },
    cache: { share: sharing },
    limits: {
      heartbeatMs: 1_000,
      connectMs: 2_000,
      firstTokenMs: 4_000,
      betweenTokensMs: 4_000,
      generationMs: 60_000,
    },
  };
}

export async function issueKeys(stage: Pick<Stage, 'apis' | 'devKey'>): Promise<Record<Tenant, string>> {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const keys = await Promise.all(
    TENANTS.map(
      async (tenant) => [tenant, await addKey(api, { tenant, user: `${tenant}-backend` })] as const,
    ),
  );
  return Object.fromEntries(keys) as Record<Tenant, string>;
}
