/** Accounts an attempt whose provider did not report its usage: counted with our tokenizer and marked as estimated. */
import type { CountTexts } from '../../contracts/count-tokens.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { addUsage, type MicroUsd, NO_USAGE, type Usage } from '../../contracts/money.ts';
import { boundInputTokens } from '../../contracts/tokens.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GenerationRecord, OpenAttempt } from '../generation-record.ts';
import { withFeedback } from './ask-again.ts';
import { type KeysById, keyOfCheckpoint } from './gate-admission.ts';
import { type Checkpoint, openCheckpoint, sentTextOf } from './resume-plan.ts';

/** @param sentText was sent besides the input; `ownText` is all that the response delivered. */
export async function estimateUsage(
  input: GenerationInput,
  { sentText, ownText }: { readonly sentText: string; readonly ownText: string },
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
 * Ends an attempt that no process reads any more. Stops it at the provider, where it may still run, and asks what it
 * used; estimates if the provider does not say.
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
  if (provider?.isStored === true) return { usage: NO_USAGE, costMicroUsd: 0 };
  const reported =
    checkpoint === null ? null : ((await provider?.stop?.(checkpoint.cursor.responseId, key)) ?? null);
  const texts = { sentText: sentTextOf(attempt), ownText: attempt.ownText };
  const usage = reported ?? (await estimateUsage(input, texts, countTexts));
  return { usage, costMicroUsd: priceOf(attempt.provider, attempt.model, usage) };
}

/** Usage and cost of a whole generation whose last attempt may have no end in the log. */
export async function accountOpenAttempt(
  dependencies: Accounting,
  record: GenerationRecord,
  input: GenerationInput | null,
  storedCheckpoint: unknown,
): Promise<Accounted> {
  const { openAttempt, usage, costMicroUsd } = record;
  if (openAttempt === null || input === null) return { usage, costMicroUsd };
  const checkpoint = openCheckpoint(storedCheckpoint, record);
  const open = await accountAbandonedAttempt(
    dependencies,
    openAttempt,
    withFeedback(input, record),
    checkpoint,
  );
  return { usage: addUsage(usage, open.usage), costMicroUsd: costMicroUsd + open.costMicroUsd };
}
