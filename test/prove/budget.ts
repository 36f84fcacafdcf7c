/**
 * `npm run prove -- budget`: no budget is overspent, no reservation stays behind, and every balance is the sum of its
 * entries; on the ledger with many processes, and on whole generations. Both are killed in the middle.
 */
import { startSharedServices } from '../harness/shared-services.ts';
import { type GenerationProof, spendOnGenerations } from './spend-on-generations.ts';
import { type LedgerProof, spendOnLedger } from './spend-on-ledger.ts';

export interface BudgetPlan {
  readonly reservations: number;
  readonly processes: number;
  readonly kills: number;
  readonly generations: number;
  readonly seed: number;
}

/** Prints what was done and the sums. Resolves with whether all of them are 0. */
export async function proveBudget(plan: BudgetPlan): Promise<boolean> {
  const { reservations, processes, kills, generations, seed } = plan;
  console.log(`budget: ${reservations} reservations at once from ${processes} processes, seed ${seed}`);
  const services = await startSharedServices();
  const proofs: (LedgerProof | GenerationProof)[] = [];
  try {
    const redisUrl = services.env['REDIS_URL'] ?? '';
    const ledger = await spendOnLedger({ redisUrl, reservations, processes, kills, seed });
    console.log(
      `ledger: ${ledger.kills} processes killed, ${(ledger.elapsedMs / 1_000).toFixed(1)} s; ${kindsOf(ledger)}`,
    );
    proofs.push(ledger);
    if (generations > 0) {
      const real = await spendOnGenerations({ services: services.env, generations, seed });
      const ends = Object.entries(real.ends).map(([end, count]) => `${count} ${end}`);
      console.log(
        `generations: ${ends.join(', ')}; ${real.kills} workers killed; ${kindsOf(real)}; ` +
          `the provider counted ${real.providerTokens} tokens, the ledger ${real.ledgerTokens}`,
      );
      proofs.push(real);
    }
  } finally {
    await services.stop();
  }
  for (const example of proofs.flatMap(({ examples }) => examples)) console.log(`FAULT ${example}`);
  const sum = (part: 'overspent' | 'leaked' | 'unbalanced') =>
    proofs.reduce((total, proof) => total + proof[part], 0);
  const [overspent, leaked, unbalanced] = [sum('overspent'), sum('leaked'), sum('unbalanced')];
  console.log(`overspent ${overspent} leaked ${leaked} unbalanced ${unbalanced} seed ${seed}`);
  return overspent + leaked + unbalanced === 0;
}

function kindsOf({ entries, kinds }: LedgerProof | GenerationProof): string {
  const each = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return `${entries} entries (${each.sort().join(', ')})`;
}
