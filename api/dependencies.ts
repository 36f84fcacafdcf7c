/** What the routes need; `main.ts` provides the real ones. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BudgetLedger } from '../budget/ledger.ts';
import type { AnswerDeletion } from '../cache/answer-cache.ts';
import type { Config } from '../config/load-config.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { LiveLogs } from '../streaming/live-logs.ts';
import type { ApiKeys } from './api-keys.ts';

export interface ApiDependencies {
  readonly config: Config;
  readonly log: EventLog;
  readonly live: LiveLogs;
  readonly budget: BudgetLedger;
  readonly cachedAnswers: AnswerDeletion;
  readonly temporal: Client;
  readonly keys: ApiKeys;
  readonly logger: Logger;
  readonly countTokens: (text: string) => number;
  /** Throws when Redis does not answer. */
  readonly pingRedis: () => Promise<unknown>;
}
