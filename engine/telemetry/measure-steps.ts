/** Wraps the ports of cache, budgets and gate, and counts their answers. */
import { totalTokens } from '../../contracts/money.ts';
import { withMethods } from '../../platform/with-methods.ts';
import type { BudgetLedger, ReserveOutcome } from '../budget/ledger.ts';
import type { AnswerCache, CacheLookUp } from '../cache/answer-cache.ts';
import type { Complaints } from '../cache/complaints.ts';
import type { ProviderGate } from '../routing/provider-gate.ts';
import { type Metrics, SHORT_SECONDS } from './metrics.ts';

const PROBABILITIES = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

export function measureCache(cache: AnswerCache, metrics: Metrics): AnswerCache {
  const lookUps = metrics.counter('unbroken_cache_lookups_total', 'hit, miss or unavailable', ['outcome']);
  const refused = metrics.counter(
    'unbroken_cache_refused_total',
    'Stored answers that a look-up would have given without the complaints of readers',
  );
  const stores = metrics.counter('unbroken_cache_stores_total', 'stored or failed', ['outcome']);
  const duration = metrics.histogram(
    'unbroken_cache_lookup_duration_seconds',
    'Time of a look-up in the answer cache',
    SHORT_SECONDS,
  );
  const hits = metrics.counter(
    'unbroken_cache_hits_total',
    'Hits by what found that both questions ask the same: same-words, rules, model or judge',
    ['matched_by'],
  );
  const probability = metrics.histogram(
    'unbroken_cache_hit_probability',
    "The model's estimate that both questions of a hit ask the same",
    PROBABILITIES,
  );
  const counted = async (looking: Promise<CacheLookUp>): Promise<CacheLookUp> => {
    const stop = duration.startTimer();
    const found = await looking;
    stop();
    lookUps.inc({ outcome: found.outcome });
    if (found.outcome === 'hit') {
      hits.inc({ matched_by: found.answer.matchedBy });
      if (found.answer.probability !== undefined) probability.observe(found.answer.probability);
    }
    if (found.outcome === 'miss' && found.refused !== undefined) refused.inc(found.refused);
    return found;
  };
  return withMethods(cache, {
    lookUp: (...args) => counted(cache.lookUp(...args)),
    lookUpBest: (...args) => counted(cache.lookUpBest(...args)),
    async store(question, answer) {
      try {
        const isStored = await cache.store(question, answer);
        if (isStored) stores.inc({ outcome: 'stored' });
        return isStored;
      } catch (error) {
        stores.inc({ outcome: 'failed' });
        throw error;
      }
    },
  });
}

export function measureComplaints(complaints: Complaints, metrics: Metrics): Complaints {
  const count = metrics.counter(
    'unbroken_cache_complaints_total',
    'Negative feedback on answers to other questions: added, known or full',
    ['outcome'],
  );
  return withMethods(complaints, {
    async add(tenant, complaint) {
      const outcome = await complaints.add(tenant, complaint);
      count.inc({ outcome });
      return outcome;
    },
  });
}

export function measureBudget(budget: BudgetLedger, metrics: Metrics): BudgetLedger {
  const refusals = metrics.counter(
    'unbroken_budget_refusals_total',
    'Generations and calls that a budget refused, by the step that refused',
    ['step'],
  );
  const warnings = metrics.counter(
    'unbroken_budget_warnings_total',
    'Budgets that approached or reached their amount',
    ['level'],
  );
  const cost = metrics.counter(
    'unbroken_cost_micro_usd_total',
    'Settled cost; one micro-USD is a millionth of a dollar',
    ['provider', 'model'],
  );
  const tokens = metrics.counter('unbroken_settled_tokens_total', 'Settled tokens, in and out', [
    'provider',
    'model',
  ]);
  const counted = async (step: string, pending: Promise<ReserveOutcome>): Promise<ReserveOutcome> => {
    const outcome = await pending;
    if (!outcome.granted) refusals.inc({ step });
    return outcome;
  };
  return {
    reserve: (reservation) => counted('reserve', budget.reserve(reservation)),
    extend: (extension) => counted('extend', budget.extend(extension)),
    raise: (raise) => counted('raise', budget.raise(raise)),
    currentCap: (tenant, generationId) => budget.currentCap(tenant, generationId),
    async look(owner, wish) {
      const refused = await budget.look(owner, wish);
      if (refused !== null) refusals.inc({ step: 'look' });
      return refused;
    },
    async settle(settlement) {
      const settled = await budget.settle(settlement);
      const labels = {
        provider: metrics.bounded(settlement.provider ?? 'none'),
        model: metrics.bounded(settlement.model ?? 'none'),
      };
      cost.inc(labels, settlement.costMicroUsd);
      tokens.inc(labels, totalTokens(settlement.usage));
      for (const { level } of settled.warnings) warnings.inc({ level });
      return settled;
    },
  };
}

export function measureGate(gate: ProviderGate, metrics: Metrics): ProviderGate {
  const entries = metrics.counter(
    'unbroken_gate_entries_total',
    'Calls that came to the gate: admitted, or why not (open, full, refused)',
    ['provider', 'outcome'],
  );
  return withMethods(gate, {
    async enter(call) {
      const admission = await gate.enter(call);
      const outcome = admission.admitted ? 'admitted' : admission.because;
      entries.inc({ provider: metrics.bounded(call.provider), outcome });
      return admission;
    },
  });
}
