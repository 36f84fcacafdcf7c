/** What an answer took: model, tokens, cost, time, and the way to its run. */
import type { ComponentChildren } from 'preact';
import { formatCost, formatDuration, formatTokens } from '../../format.ts';
import type { Answer } from '../../generation-state.ts';
import { linkTo } from '../../router.ts';

const ENDINGS = { failed: 'Failed', cancelled: 'Cancelled' } as const;

export function AnswerFoot({ answer, actions }: { answer: Answer; actions: ComponentChildren }) {
  const { status, usage, beganAtMs, endedAtMs } = answer;
  return (
    <footer class="foot">
      <p class="facts">
        {(status === 'failed' || status === 'cancelled') && <strong>{ENDINGS[status]}</strong>}
        {answer.model !== null && (
          <span>
            {answer.provider}/{answer.model}
          </span>
        )}
        <span>{formatTokens(usage)}</span>
        <span>{answer.cached ? 'from the cache' : formatCost(answer.costMicroUsd)}</span>
        {beganAtMs !== null && endedAtMs !== null && <span>{formatDuration(endedAtMs - beganAtMs)}</span>}
        {answer.finishReason === 'length' && <span class="tag">cut at the length limit</span>}
        {answer.finishReason === 'refusal' && <span class="tag">the model declined</span>}
        {answer.finishReason === 'content-filter' && (
          <span class="tag">ended by a filter of the provider</span>
        )}
        <a href={linkTo('runs', answer.id)}>Timeline</a>
      </p>
      {actions}
    </footer>
  );
}
