/** Usage as CSV (RFC 4180), for a spreadsheet. */

import type { UsageView } from '../../../../../contracts/usage.ts';
import type { Grouping } from './groupings.ts';

const SUMS = [
  'generations',
  'completed',
  'failed',
  'cancelled',
  'cacheHits',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'tokens',
  'costMicroUsd',
  'savedTokens',
  'savedMicroUsd',
] as const;
const GROUP_SUMS = ['generations', 'tokens', 'costMicroUsd'] as const;
/** A line per bucket; with groups, a line per bucket in which the group was used. Money is in micro-USD. */
export function csvOf(usage: UsageView, by: Grouping): string {
  const timeOf = (at: number) => new Date(at).toISOString().slice(0, usage.each === 'day' ? 10 : 16);
  const lines =
    by === 'none'
      ? [
          [usage.each, ...SUMS],
          ...usage.series.map((bucket) => [timeOf(bucket.at), ...SUMS.map((name) => bucket[name])]),
        ]
      : [
          [usage.each, by, ...GROUP_SUMS],
          ...usage.groups.flatMap(({ name, series }) =>
            series.map((bucket) => [timeOf(bucket.at), name ?? '', ...GROUP_SUMS.map((sum) => bucket[sum])]),
          ),
        ];
  return `${lines.map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`;
}

/** A spreadsheet runs a text that begins like a formula, and users choose their names: a quote makes it a text. */
function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
