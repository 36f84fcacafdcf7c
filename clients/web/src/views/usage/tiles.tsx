/** The usage of the period in a few numbers. */
import type { ComponentChildren } from 'preact';
import type { UsageLatencies, UsageView } from '../../../../../contracts/usage.ts';
import { formatCost, formatCount, formatDuration, formatShare } from '../../format.ts';

export function Tiles({ usage, latencies }: { usage: UsageView; latencies: UsageLatencies | null }) {
  const { totals } = usage;
  const firstToken = latencies?.totals.firstTokenMs ?? null;
  const output = totals.outputTokens + totals.reasoningTokens;
  return (
    <dl class="tiles">
      <Tile name="Spend" value={formatCost(totals.costMicroUsd)}>
        {totals.generations > 0 && `${formatCost(totals.costMicroUsd / totals.generations)} per generation`}
      </Tile>
      <Tile name="Tokens" value={formatCount(totals.tokens)}>
        {formatCount(totals.tokens - output)} in, {formatCount(output)} out
      </Tile>
      <Tile name="Generations" value={formatCount(totals.generations)}>
        {formatCount(totals.completed)} completed
        {totals.cancelled > 0 && `, ${formatCount(totals.cancelled)} cancelled`}
      </Tile>
      <Tile name="Saved by the cache" value={formatCost(totals.savedMicroUsd)}>
        {formatShare(totals.cacheHits, totals.generations)} of answers, {formatCount(totals.savedTokens)}{' '}
        tokens
      </Tile>
      <Tile name="Failed" value={formatCount(totals.failed)}>
        {formatShare(totals.failed, totals.generations)} of generations
      </Tile>
      {firstToken !== null && (
        <Tile name="First token" value={formatDuration(firstToken.p50)}>
          median; p95 {formatDuration(firstToken.p95)}
        </Tile>
      )}
    </dl>
  );
}

function Tile({ name, value, children }: { name: string; value: string; children: ComponentChildren }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        <span class="hint">{children}</span>
      </dd>
    </div>
  );
}
