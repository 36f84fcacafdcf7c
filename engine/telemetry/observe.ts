/** Wraps the parts of API and worker for metrics and traces. While these are off, the parts stay unwrapped. */
import type { RequestHandler } from 'express';
import type { BatchStore } from '../batches/batch-store.ts';
import type { BudgetLedger } from '../budget/ledger.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Complaints } from '../cache/complaints.ts';
import type { HandoffOffers } from '../handoff/handoff.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderGate } from '../routing/provider-gate.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { LiveLogs } from '../streaming/live-logs.ts';
import { measureBatches } from './measure-batches.ts';
import { measureCalls } from './measure-calls.ts';
import { measureFirstText } from './measure-log.ts';
import { measureCreations, measureHandoff, measureRelay } from './measure-relay.ts';
import { measureRequests } from './measure-requests.ts';
import { measureBudget, measureCache, measureComplaints, measureGate } from './measure-steps.ts';
import type { Metrics } from './metrics.ts';
import { observeCalls } from './observe-calls.ts';
import { traceCalls } from './trace-calls.ts';
import { type Tracing, traceRequests } from './tracing.ts';

interface WorkerParts {
  readonly log: EventLog;
  readonly batches: BatchStore;
  readonly cache: AnswerCache;
  readonly budget: BudgetLedger;
  readonly gate: ProviderGate;
  readonly providers: ReadonlyMap<string, Provider>;
}

interface ApiParts {
  readonly log: EventLog;
  readonly live: LiveLogs;
  readonly complaints: Complaints;
  readonly budget: BudgetLedger;
  readonly handoff: HandoffOffers;
}

export function observeWorker<Parts extends WorkerParts>(
  parts: Parts,
  metrics: Metrics | null,
  tracing: Tracing | null,
): Parts {
  const providers = observeCalls(parts.providers, [
    ...(metrics === null ? [] : [measureCalls(metrics)]),
    ...(tracing === null ? [] : [traceCalls(tracing)]),
  ]);
  if (metrics === null) return { ...parts, providers };
  return {
    ...parts,
    providers,
    log: measureFirstText(parts.log, metrics),
    batches: measureBatches(parts.batches, metrics),
    cache: measureCache(parts.cache, metrics),
    budget: measureBudget(parts.budget, metrics),
    gate: measureGate(parts.gate, metrics),
  };
}

export function observeApi<Parts extends ApiParts>(
  parts: Parts,
  metrics: Metrics | null,
  tracing: Tracing | null,
): Parts & { readonly watchRequests: readonly RequestHandler[] } {
  const watchRequests = [
    ...(tracing === null ? [] : [traceRequests(tracing)]),
    ...(metrics === null ? [] : [measureRequests(metrics)]),
  ];
  if (metrics === null) return { ...parts, watchRequests };
  return {
    ...parts,
    watchRequests,
    log: measureCreations(parts.log, metrics),
    live: measureRelay(parts.live, metrics),
    complaints: measureComplaints(parts.complaints, metrics),
    handoff: measureHandoff(parts.handoff, metrics),
    budget: measureBudget(parts.budget, metrics),
  };
}
