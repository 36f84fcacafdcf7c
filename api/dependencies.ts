/** What the routes need; `main.ts` provides the real ones. */
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { CountTexts } from '../contracts/count-tokens.ts';
import type { BudgetAccounts } from '../engine/budget/budget-accounts.ts';
import type { BudgetLedger } from '../engine/budget/ledger.ts';
import type { AnswerDeletion } from '../engine/cache/answer-cache.ts';
import type { FlightMembers } from '../engine/cache/flights.ts';
import type { HandoffOffers } from '../engine/handoff/handoff.ts';
import type { PromptStats } from '../engine/prompts/prompt-stats.ts';
import type { PromptRegistry } from '../engine/prompts/registry.ts';
import type { HealthSnapshot } from '../engine/routing/health-snapshot.ts';
import type { GateReader } from '../engine/routing/provider-gate.ts';
import type { EventLog } from '../engine/streaming/event-log.ts';
import type { LiveLogs } from '../engine/streaming/live-logs.ts';
import type { StoredBytes } from '../engine/streaming/stored-bytes.ts';
import type { Config } from '../platform/config/load-config.ts';
import type { ApiKeys } from './access/api-keys.ts';
import type { OpenConnections } from './access/open-connections.ts';
import type { RateLimiter } from './access/rate-limiter.ts';
import type { Tickets } from './access/tickets.ts';
import type { RouteChooser } from './generations/choose-route.ts';
import type { RunLookup } from './generations/run-lookup.ts';
import type { WatchSilence } from './generations/watch-silence.ts';
import type { BytesInFlight } from './http/bytes-in-flight.ts';
import type { ChatStreams } from './wires/ai-sdk-ui/chat-streams.ts';

export interface ApiDependencies {
  readonly config: Config;
  readonly log: EventLog;
  readonly stored: StoredBytes;
  readonly live: LiveLogs;
  /** Silence after which a viewer gets a sign of life. */
  readonly heartbeatMs: number;
  readonly onSilence: WatchSilence;
  readonly budget: BudgetLedger;
  readonly prompts: PromptRegistry;
  readonly promptStats: PromptStats;
  readonly accounts: BudgetAccounts;
  readonly cachedAnswers: AnswerDeletion;
  readonly flightMembers: FlightMembers;
  readonly temporal: Client;
  readonly runs: RunLookup;
  readonly handoff: HandoffOffers;
  readonly keys: ApiKeys;
  readonly chats: ChatStreams;
  readonly tickets: Tickets;
  readonly rate: RateLimiter;
  readonly connections: OpenConnections;
  readonly bodies: BytesInFlight;
  /** Undefined where payloads are not encrypted. */
  readonly codec: PayloadCodec | undefined;
  readonly routes: RouteChooser;
  readonly health: HealthSnapshot;
  readonly gate: GateReader;
  readonly logger: Logger;
  /** Metrics and traces of every request; none where they are off. */
  readonly watchRequests: readonly RequestHandler[];
  /** Given when this process leaves: streams that can be resumed end now, all others end by themselves. */
  readonly leaving: AbortSignal;
  readonly countTexts: CountTexts;
  /** Throws when Redis does not answer. */
  readonly pingRedis: () => Promise<unknown>;
}
