/** What the routes need; `main.ts` provides the real ones. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BudgetLedger } from '../budget/ledger.ts';
import type { Config } from '../config/load-config.ts';
import type { PromptStats } from '../prompts/prompt-stats.ts';
import type { PromptRegistry } from '../prompts/registry.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { LiveLogs } from '../streaming/live-logs.ts';
import type { ApiKeys } from './api-keys.ts';

export interface ApiDependencies {
  readonly config: Config;
  readonly log: EventLog;
  readonly live: LiveLogs;
  readonly budget: BudgetLedger;
  readonly prompts: PromptRegistry;
  readonly promptStats: PromptStats;
  readonly temporal: Client;
  readonly keys: ApiKeys;
  readonly logger: Logger;
  readonly countTokens: (text: string) => number;
  /** Throws when Redis does not answer. */
  readonly pingRedis: () => Promise<unknown>;
}
