/** What the routes need; `main.ts` provides the real ones. */
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { BudgetBooks } from '../budget/budget-books.ts';
import type { BudgetLedger } from '../budget/ledger.ts';
import type { AnswerDeletion } from '../cache/answer-cache.ts';
import type { FlightMembers } from '../cache/flights.ts';
import type { Config } from '../config/load-config.ts';
import type { CountTexts } from '../contracts/count-tokens.ts';
import type { HandoffOffers } from '../handoff/handoff.ts';
import type { PromptStats } from '../prompts/prompt-stats.ts';
import type { PromptRegistry } from '../prompts/registry.ts';
import type { HealthSnapshot } from '../routing/health-snapshot.ts';
import type { GateReader } from '../routing/provider-gate.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { LiveLogs } from '../streaming/live-logs.ts';
import type { StoredBytes } from '../streaming/stored-bytes.ts';
import type { ApiKeys } from './api-keys.ts';
import type { BytesInFlight } from './bytes-in-flight.ts';
import type { RouteChooser } from './choose-route.ts';
import type { OpenConnections } from './open-connections.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RunLookup } from './run-lookup.ts';
import type { Tickets } from './tickets.ts';
import type { WatchSilence } from './watch-silence.ts';
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
  readonly books: BudgetBooks;
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
