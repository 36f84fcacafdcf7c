/** The ports that the activities need; the worker's composition root provides the adapters. */
import type { BudgetWarning } from '../contracts/budgets.ts';
import type { CountTexts } from '../contracts/count-tokens.ts';
import type { MicroUsd, Usage } from '../contracts/money.ts';
import type { BudgetLedger } from '../engine/budget/ledger.ts';
import type { AnswerCache } from '../engine/cache/answer-cache.ts';
import type { Flights } from '../engine/cache/flights.ts';
import type { SentContext } from '../engine/compaction/sent-context.ts';
import type { PromptCompression } from '../engine/compression/prompt-compression.ts';
import type { OutputChecker } from '../engine/output/output-checker.ts';
import type { PromptStats } from '../engine/prompts/prompt-stats.ts';
import type { Provider } from '../engine/providers/provider.ts';
import type { CallAnswers } from '../engine/reasoning/call-answers.ts';
import type { ReasoningSeals } from '../engine/reasoning/seals.ts';
import type { GateNotice, ProviderGate } from '../engine/routing/provider-gate.ts';
import type { EndedLogs } from '../engine/streaming/ended-logs.ts';
import type { EventLog } from '../engine/streaming/event-log.ts';
import type { LiveLogs } from '../engine/streaming/live-logs.ts';
import type { SendWebhook } from '../engine/webhooks/send-webhook.ts';
import type { WebhookDeliveries } from '../engine/webhooks/webhooks.ts';

/** How a route uses the answer cache. */
export interface CacheSettings {
  /** The share of false hits among close questions that the route accepts, from 0 to 1. */
  readonly acceptedFalseHits: number;
  readonly ttlMs: number;
  readonly judge: boolean;
  /** Whether generations that ask the same at the same time share one call. */
  readonly singleFlight: boolean;
  /** Who may get a stored answer: its own user, or all users of the tenant. */
  readonly share: 'user' | 'tenant';
}

export interface Dependencies {
  readonly log: EventLog;
  readonly cache: AnswerCache;
  readonly flights: Flights;
  /** The settings of a route. */
  readonly cacheSettings: (route: string) => CacheSettings;
  /** Notifies when the log of another generation has grown. */
  readonly live: LiveLogs;
  readonly budget: BudgetLedger;
  readonly promptStats: PromptStats;
  readonly context: SentContext;
  readonly compression: PromptCompression;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly seals: ReasoningSeals;
  readonly outputs: Pick<OutputChecker, 'check'>;
  /** Remembers which answer made a tool call, so that its reasoning is found when the result comes. */
  readonly callAnswers: Pick<CallAnswers, 'remember'>;
  readonly gate: ProviderGate;
  /** Receives what operators should know: a key was refused, a circuit opened. */
  readonly note: (notice: GateNotice) => void;
  readonly priceOf: (provider: string, model: string, usage: Usage) => MicroUsd;
  /** Sends a budget warning, or throws; null when no webhook is configured. */
  readonly notifyBudget: ((warning: BudgetWarning) => Promise<void>) | null;
  readonly countTexts: CountTexts;
  readonly webhooks: Pick<WebhookDeliveries, 'prepare' | 'read' | 'view' | 'note' | 'giveUp'>;
  readonly sendWebhook: SendWebhook;
  /** Packs and archives logs after their end; null: they stay as they are. */
  readonly ended: EndedLogs | null;
}
