/**
 * Generations that share one call pay for it together: what the ledger has booked for all of them is what the provider
 * billed, no matter which one led, left, was cancelled or ran out of time.
 */
import type { JournalLine } from '../../../../tools/simulator/journal.ts';
import type { Evidence, GenerationEvidence, LedgerEntry } from '../evidence.ts';
import { callsOf } from './check-bill.ts';
import { type Finding, finding } from './finding.ts';
import { isWhole } from './held.ts';

/**
 * An estimate counts by another tokenizer than the provider, and leaves out what a provider made and nobody received.
 * At least one whole answer is paid where a member has one.
 */
const ESTIMATE_FACTOR = 2;
/** For each call that was cut off on its way and may have arrived, and at least for one. */
const ESTIMATE_TOKENS = 200;

export function checkFlights({
  generations,
  bill,
  ledger,
}: Pick<Evidence, 'generations' | 'bill' | 'ledger'>): Finding[] {
  const byMark = Map.groupBy(generations, ({ accepted }) => accepted.plan.mark);
  return [...byMark.values()]
    .filter((members) => members.some(({ log }) => log.some(({ type }) => type === 'cache-join')))
    .flatMap((members) => checkMembers(members, bill, ledger));
}

function checkMembers(
  members: readonly GenerationEvidence[],
  bill: readonly JournalLine[],
  ledger: readonly LedgerEntry[],
): Finding[] {
  const ids = new Set(members.map(({ accepted }) => accepted.id));
  const [mark = ''] = members.map(({ accepted }) => accepted.plan.mark);
  const entries = ledger.filter(({ generation }) => ids.has(generation));
  const booked = entries.reduce((sum, { spentTokens }) => sum + spentTokens, 0);
  const calls = bill.filter(({ prompt }) => prompt.includes(mark));
  const billed = calls.reduce((sum, { inputTokens, made }) => sum + inputTokens + made, 0);
  const lostCalls = members.flatMap(({ log }) => callsOf(log)).length - calls.length;
  const isEstimated = entries.some((entry) => entry.isEstimated) || members.some(hasEstimate);
  const factor = isEstimated ? ESTIMATE_FACTOR : 1;
  const slack = isEstimated ? ESTIMATE_TOKENS : 0;
  const detail = `${members.length} generations of ${mark} were billed ${billed} and booked ${booked}${isEstimated ? ', some of it estimated' : ''}`;
  const [id = ''] = ids;
  const received = members.find(({ log }) => isWhole(log))?.expected.tokens ?? 0;
  const least = isEstimated ? Math.min(billed, received) : billed;
  if (booked * factor + slack < least) return [finding('unpaid', id, detail)];
  if (booked > billed * factor + slack * Math.max(1, lostCalls)) return [finding('paid_twice', id, detail)];
  return [];
}

function hasEstimate({ log }: GenerationEvidence): boolean {
  return log.some((event) => 'usage' in event && event.type !== 'usage-update' && event.usage.estimated);
}
