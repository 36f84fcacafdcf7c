/** What an attempt used when its provider never said: counted with a tokenizer and marked as estimated. */
import type { CountTexts } from '../../contracts/count-tokens.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { addUsage, type MicroUsd, NO_USAGE, type Usage } from '../../contracts/money.ts';
import { boundInputTokens } from '../../contracts/tokens.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GenerationRecord, OpenAttempt } from '../generation-record.ts';
import { type KeysById, keyOfCheckpoint } from './gate-admission.ts';
import { type Checkpoint, openCheckpoint, sentTextOf } from './resume-plan.ts';

export async function estimateUsage(
  input: GenerationInput,
  sentText: string,
  ownText: string,
  countTexts: CountTexts,
): Promise<Usage> {
  const inputTokens = await boundInputTokens(input, countTexts);
  const [sentTokens = 0] = await countTexts([sentText]);
  const [outputTokens = 0] = await countTexts([ownText]);
  return {
    ...NO_USAGE,
    inputTokens: inputTokens + sentTokens,
    outputTokens,
    estimated: true,
  };
}

export type Accounting = Pick<Dependencies, 'providers' | 'priceOf' | 'countTexts'> & KeysById;

export interface Accounted {
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

/**
 * Ends an attempt that nobody reads any more: stops it at the provider where it runs on without us, and asks what it
 * used; where the provider does not say, estimates.
 */
export async function accountAbandonedAttempt(
  dependencies: Accounting,
  attempt: OpenAttempt,
  input: GenerationInput,
  checkpoint: Checkpoint | null,
): Promise<Accounted> {
  const { providers, priceOf, countTexts } = dependencies;
  const key = keyOfCheckpoint(dependencies, checkpoint)?.secret;
  const provider = providers.get(attempt.provider);
  const reported =
    checkpoint === null ? null : ((await provider?.stop?.(checkpoint.cursor.responseId, key)) ?? null);
  const usage = reported ?? (await estimateUsage(input, sentTextOf(attempt), attempt.ownText, countTexts));
  return { usage, costMicroUsd: priceOf(attempt.provider, attempt.model, usage) };
}

/** Usage and cost of a whole generation whose last attempt may have no end in the log. */
export async function accountOpenAttempt(
  dependencies: Accounting,
  record: GenerationRecord,
  input: GenerationInput | null,
  stored: unknown,
): Promise<Accounted> {
  const { openAttempt, usage, costMicroUsd } = record;
  if (openAttempt === null || input === null) return { usage, costMicroUsd };
  const open = await accountAbandonedAttempt(
    dependencies,
    openAttempt,
    input,
    openCheckpoint(stored, record),
  );
  return { usage: addUsage(usage, open.usage), costMicroUsd: costMicroUsd + open.costMicroUsd };
}
