/** Formats numbers and times for the page. */
import { inputTokensOf, outputTokensOf, type Usage } from '../../../contracts/money.ts';

const number = new Intl.NumberFormat('en');
const dayAndTime = new Intl.DateTimeFormat('en', {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

const dayOfOtherYear = new Intl.DateTimeFormat('en', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
});

export function formatCount(count: number): string {
  return number.format(count);
}

/** Tokens in and out, and what the provider's prompt cache did. */
export function formatTokens(usage: Usage): string {
  const { cachedInputTokens: read, cacheWriteTokens: written } = usage;
  const cached = [
    ...(read > 0 ? [`${formatCount(read)} from the provider’s cache`] : []),
    ...(written > 0 ? [`${formatCount(written)} written to it`] : []),
  ];
  const own = cached.length === 0 ? '' : ` (${cached.join(', ')})`;
  return `${formatCount(inputTokensOf(usage))} in${own}, ${formatCount(outputTokensOf(usage))} out`;
}

/** Micro-USD as dollars: two decimals for whole cents, else six. */
export function formatCost(microUsd: number): string {
  const isWholeCents = Math.round(microUsd) % 10_000 === 0;
  const [whole = '0', decimals = ''] = (microUsd / 1_000_000).toFixed(isWholeCents ? 2 : 6).split('.');
  return `$${number.format(Number(whole))}.${decimals}`;
}

/** With the year unless it is this one. */
export function formatTime(atMs: number): string {
  const isThisYear = new Date(atMs).getFullYear() === new Date().getFullYear();
  return (isThisYear ? dayAndTime : dayOfOtherYear).format(atMs);
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms - minutes * 60_000) / 1_000)} s`;
}

/** The first and last characters of an id, which are enough to distinguish two. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 10)}…${id.slice(-4)}`;
}

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** `0.052 lines/s`: three digits, however slow. */
export function formatPerSecond(count: number, unit: string): string {
  return `${threeDigits.format(count)} ${unit}/s`;
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** For axes: "1.2M". */
export function formatCountShort(count: number): string {
  return compact.format(count);
}

const SHORT_DOLLARS = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  notation: 'compact',
  minimumFractionDigits: 0,
  maximumSignificantDigits: 3,
});

/** For axes: "$0.012", "$1.2K". */
export function formatCostShort(microUsd: number): string {
  return SHORT_DOLLARS.format(microUsd / 1_000_000);
}

/** A share between 0 and 1: "12 %"; of nothing: "–". */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}
