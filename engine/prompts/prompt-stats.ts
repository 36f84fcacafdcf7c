/** The port to prompt statistics. Every generation counts once, however often it is recorded. */
import type { MicroUsd, Usage } from '../../contracts/money.ts';
import type { Feedback, FeedbackView, PromptStatsView, PromptUse } from '../../contracts/prompts.ts';

export interface PromptOutcome {
  readonly tenant: string;
  readonly generationId: string;
  readonly prompt: Pick<PromptUse, 'name' | 'version'>;
  /** The first generation of the continued text: its request costs more, and no second request is counted. */
  readonly continues: string | null;
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly isCached: boolean;
  readonly isCutByLength: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** From the request to the first text, and to the end; null if the generation says nothing about speed. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
  /** Length of the answer in output tokens; null if the usage is of more than one call. */
  readonly answerTokens: number | null;
}

export interface FeedbackTarget {
  readonly tenant: string;
  readonly generationId: string;
  /** null for a generation without a named prompt: its feedback is stored, and counted nowhere. */
  readonly prompt: Pick<PromptUse, 'name' | 'version'> | null;
}

export interface PromptStats {
  record(outcome: PromptOutcome): Promise<void>;
  /** @param user whose generation it is about: its comment is erased with the user's data. */
  giveFeedback(target: FeedbackTarget & { readonly user: string }, feedback: Feedback): Promise<FeedbackView>;
  /** What was counted stays. @returns false if there was none. */
  removeFeedback(target: FeedbackTarget): Promise<boolean>;
  readFeedback(target: FeedbackTarget): Promise<FeedbackView | null>;
  /** The newest feedback on a prompt, newest first. */
  listFeedback(tenant: string, name: string, limit: number): Promise<FeedbackView[]>;
  /** @param baseline the version to compare the others with; null: the oldest that has requests. */
  read(tenant: string, name: string, versions: number, baseline: number | null): Promise<PromptStatsView>;
  /** p99 of the output tokens of an answer, and the number of answers; null before the first. */
  answerLength(
    tenant: string,
    prompt: Pick<PromptUse, 'name' | 'version'>,
  ): Promise<{ readonly p99: number; readonly answers: number } | null>;
}
