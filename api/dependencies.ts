/** Everything that the routes need; `main.ts` creates it. */
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { CountTexts } from '../contracts/count-tokens.ts';
import type { BatchStore } from '../engine/batches/batch-store.ts';
import type { BudgetAccounts } from '../engine/budget/budget-accounts.ts';
import type { BudgetLedger } from '../engine/budget/ledger.ts';
import type { UsageReports } from '../engine/budget/usage-reports.ts';
import type { AnswerDeletion } from '../engine/cache/answer-cache.ts';
import type { Complaints } from '../engine/cache/complaints.ts';
import type { FlightMembers } from '../engine/cache/flights.ts';
import type { StoredEntries } from '../engine/cache/stored-entries.ts';
import type { CompactionSeals } from '../engine/compaction/compaction-seals.ts';
import type { ConversationStore } from '../engine/conversations/conversation-store.ts';
import type { Erasures } from '../engine/erasure/erasures.ts';
import type { FileStore } from '../engine/files/file-store.ts';
import type { HandoffOffers } from '../engine/handoff/handoff.ts';
import type { JobStore } from '../engine/jobs/job-store.ts';
import type { RedisPipelineRegistry } from '../engine/jobs/redis-pipeline-registry.ts';
import type { RedisScheduleStore } from '../engine/jobs/schedule-store.ts';
import type { OutputChecker } from '../engine/output/output-checker.ts';
import type { PromptStats } from '../engine/prompts/prompt-stats.ts';
import type { PromptRegistry } from '../engine/prompts/registry.ts';
import type { CallAnswers } from '../engine/reasoning/call-answers.ts';
import type { HealthSnapshot } from '../engine/routing/health-snapshot.ts';
import type { GateReader } from '../engine/routing/provider-gate.ts';
import type { EventLog } from '../engine/streaming/event-log.ts';
import type { LiveLogs } from '../engine/streaming/live-logs.ts';
import type { StoredBytes } from '../engine/streaming/stored-bytes.ts';
import type { SendWebhook } from '../engine/webhooks/send-webhook.ts';
import type { WebhookDeliveries, WebhookEndpoints } from '../engine/webhooks/webhooks.ts';
import type { Config } from '../platform/config/load-config.ts';
import type { ApiKeys } from './access/api-keys.ts';
import type { OpenConnections } from './access/open-connections.ts';
import type { PageSessions } from './access/page-sessions.ts';
import type { RateLimiter } from './access/rate-limiter.ts';
import type { Tickets } from './access/tickets.ts';
import type { ChatStreams } from './generations/chat-streams.ts';
import type { RouteChooser } from './generations/choose-route.ts';
import type { ClientRetries } from './generations/client-retries.ts';
import type { RunLookup } from './generations/run-lookup.ts';
import type { BytesInFlight } from './http/bytes-in-flight.ts';

export interface ApiDependencies {
  readonly config: Config;
  readonly log: EventLog;
  readonly stored: StoredBytes;
  readonly conversations: ConversationStore;
  readonly compactions: CompactionSeals;
  readonly live: LiveLogs;
  /** Silence after which a viewer gets a heartbeat. */
  readonly heartbeatMs: number;
  /** How long the status of a stream waits for content. */
  readonly statusHeldMs: number;
  /** Called for a followed log that has been silent for `heartbeatMs`. */
  readonly onSilence: (generationId: string) => void;
  readonly budget: BudgetLedger;
  readonly callAnswers: Pick<CallAnswers, 'find'>;
  readonly outputs: Pick<OutputChecker, 'faultOfSchema'>;
  readonly prompts: PromptRegistry;
  readonly promptStats: PromptStats;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly webhookDeliveries: Pick<WebhookDeliveries, 'view' | 'list' | 'idsOfGeneration' | 'remove'>;
  readonly sendWebhook: SendWebhook;
  readonly accounts: BudgetAccounts;
  readonly usage: UsageReports;
  readonly cachedAnswers: AnswerDeletion;
  readonly storedEntries: StoredEntries;
  readonly complaints: Complaints;
  readonly flightMembers: FlightMembers;
  readonly temporal: Client;
  readonly runs: RunLookup;
  readonly handoff: HandoffOffers;
  readonly keys: ApiKeys;
  readonly chats: ChatStreams;
  readonly clientRetries: ClientRetries;
  readonly tickets: Tickets;
  readonly sessions: PageSessions;
  readonly rate: RateLimiter;
  /** Limits how often an address tries to sign in. */
  readonly signIns: RateLimiter;
  readonly connections: OpenConnections;
  readonly bodies: BytesInFlight;
  /** Undefined when payloads are not encrypted. */
  readonly codec: PayloadCodec | undefined;
  readonly jobs: JobStore;
  readonly batches: BatchStore;
  readonly files: FileStore;
  readonly erasures: Pick<Erasures, 'open' | 'view' | 'list'>;
  readonly pipelines: RedisPipelineRegistry;
  readonly schedules: RedisScheduleStore;
  readonly routes: RouteChooser;
  readonly health: HealthSnapshot;
  readonly gate: GateReader;
  readonly logger: Logger;
  /** Record metrics and traces of every request; empty when both are off. */
  readonly watchRequests: readonly RequestHandler[];
  /** Aborted when this process shuts down: streams that clients can resume end at once, all others run to their end. */
  readonly leaving: AbortSignal;
  readonly countTexts: CountTexts;
  /** Throws when Redis does not answer. */
  readonly pingRedis: () => Promise<unknown>;
}
