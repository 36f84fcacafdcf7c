/**
 * Describes a run in the Temporal UI. Details are only shown, so their wording may change. `upsertSearchAttributes` is
 * recorded in history: adding or removing a call of it is a change of the workflow.
 */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { candidateName } from '../contracts/candidate.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { formatUsd, totalTokens } from '../contracts/money.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import type { FailedCandidate } from './provider-fallback.ts';

/** What the run does now, why it has these models in this order, and which of them have failed. */
export function describeOrder(
  order: GenerationOrder,
  currentStep: string,
  failed: readonly FailedCandidate[],
): string {
  const reasons = (order.routing?.reasons ?? []).map((line) => `- ${line}`);
  return [
    currentStep,
    ...aboutOrder(order),
    ...(reasons.length === 0 ? [] : [reasons.join('\n')]),
    ...failed.map(({ candidate, failure }) => {
      return `failed: ${candidateName(candidate)}: ${failure.code}`;
    }),
  ].join('\n\n');
}

function aboutOrder(order: GenerationOrder): readonly string[] {
  const { maxOutputTokens, capFrom, prompt, continues, compressed, route } = order;
  return [
    `at most ${maxOutputTokens} output tokens${capFrom === undefined ? '' : ` (${capFrom})`}, route ${route}`,
    ...(prompt === undefined ? [] : [`prompt ${prompt.name}@${prompt.version}`]),
    ...(compressed === undefined
      ? []
      : [`context compressed from ${compressed.tokensBefore} to ${compressed.tokensAfter} tokens`]),
    ...(continues === undefined ? [] : [`continues the text of ${continues.generationId}`]),
  ];
}

export function showOutcome(order: GenerationOrder, outcome: GenerationOutcome): void {
  const { status, provider, model, usage, costMicroUsd, attempts } = outcome;
  const source = outcome.cached ? 'the cache' : `${provider ?? 'no provider'}/${model ?? ''}`;
  const ended = [
    `**${status}** by ${source}, attempt ${attempts}`,
    ...(outcome.degraded === true ? ['degraded: an old stored answer, because every candidate failed'] : []),
    `${totalTokens(usage)} tokens${usage.estimated ? ' (estimated)' : ''}, ${formatUsd(costMicroUsd)}`,
    ...(outcome.errorCode === null ? [] : [`error: ${outcome.errorCode}`]),
  ].join('\n\n');
  setCurrentDetails(describeOrder(order, ended, []));
  upsertSearchAttributes({
    UnbrokenStatus: [status],
    UnbrokenCostMicroUsd: [costMicroUsd],
    ...(provider === null ? {} : { UnbrokenProvider: [provider] }),
    ...(model === null ? {} : { UnbrokenModel: [model] }),
  });
}
