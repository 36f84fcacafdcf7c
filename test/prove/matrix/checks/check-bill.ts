/**
 * The provider's bill is what the ledger has booked, call by call. The one window that cannot be closed is a call whose
 * answer, or whose count, never came: it must be marked as estimated, and is counted apart as orphaned.
 */
import type { GenerationEvent } from '../../../../contracts/events.ts';
import type { Evidence, GenerationEvidence, LedgerEntry } from '../evidence.ts';
import { type Finding, finding } from './finding.ts';

interface BillVerdict {
  readonly findings: readonly Finding[];
  /** Requests with a call that could only be estimated, and what was billed and booked for them. */
  readonly orphaned: { readonly requests: number; readonly billed: number; readonly booked: number };
  /** The same sums of all the others; they are equal. */
  readonly exact: { readonly billed: number; readonly booked: number };
}

export function checkBill({ generations, bill, ledger }: Evidence): BillVerdict {
  const findings: Finding[] = [];
  const orphaned = { requests: 0, billed: 0, booked: 0 };
  const exact = { billed: 0, booked: 0 };
  const booked = Map.groupBy(ledger, ({ generation }) => generation);
  // Requests that ask the same look the same to the provider, so they are judged together.
  const byMark = Map.groupBy(generations, ({ accepted }) => accepted.plan.mark);
  for (const [mark, same] of byMark) {
    // Of a flight the members pay together; another check adds them up.
    const isFlight = same.some(({ log }) => log.some(({ type }) => type === 'cache-join'));
    // How often a deleted generation called is on no record.
    const isDeleted = same.some(({ accepted }) => accepted.deletedAtMs !== null);
    const calls = bill.filter(({ prompt }) => prompt.includes(mark));
    const ids = new Set(same.map(({ accepted }) => accepted.id));
    const entries = [...ids].flatMap((generation) => booked.get(generation) ?? []);
    const billedTokens = calls.reduce((sum, { inputTokens, made }) => sum + inputTokens + made, 0);
    const bookedTokens = entries.reduce((sum, { spentTokens }) => sum + spentTokens, 0);
    const [id = ''] = ids;
    findings.push(...twiceBooked(same, booked));
    const attempts = same.flatMap(({ log }) => callsOf(log)).length;
    if (calls.length > attempts && !isDeleted)
      findings.push(finding('paid_twice', id, `${calls.length} calls of ${mark}, ${attempts} on record`));
    const isEstimated =
      entries.some((entry) => entry.isEstimated) || same.some(({ log }) => hasEstimate(log));
    const sums = isEstimated ? orphaned : exact;
    sums.billed += billedTokens;
    sums.booked += bookedTokens;
    if (isEstimated) orphaned.requests += 1;
    else if (billedTokens !== bookedTokens && !isFlight)
      findings.push(
        finding(
          bookedTokens < billedTokens ? 'unpaid' : 'paid_twice',
          id,
          `${mark} was billed ${billedTokens} and booked ${bookedTokens}, none of it estimated`,
        ),
      );
  }
  return { findings, orphaned, exact };
}

/** An attempt is booked by one entry, or (the last one) by the settlement. The lives of one id are booked together. */
function twiceBooked(
  same: readonly GenerationEvidence[],
  booked: ReadonlyMap<string, readonly LedgerEntry[]>,
): Finding[] {
  return [...Map.groupBy(same, ({ accepted }) => accepted.id)].flatMap(([id, lives]) => {
    const spent = (booked.get(id) ?? []).reduce((sum, entry) => sum + entry.spentTokens, 0);
    const uses = lives.map(({ log }) => usedTokens(log.at(-1)));
    const used = uses.reduce<number>((sum, use) => sum + (use ?? 0), 0);
    if (uses.includes(null) || used === spent) return [];
    return [finding('paid_twice', id, `its log says that it used ${used}, the ledger booked ${spent}`)];
  });
}

function usedTokens(last: GenerationEvent | undefined): number | null {
  if (last === undefined || !('usage' in last)) return null;
  return Object.values(last.usage).reduce(
    (sum: number, part) => sum + (typeof part === 'number' ? part : 0),
    0,
  );
}

/** Attempts that send a new call to the provider; one that resumes a response is no call. */
export function callsOf(log: readonly GenerationEvent[]): GenerationEvent[] {
  return log.filter((event) => event.type === 'provider-start' && event.strategy !== 'reattach');
}

function hasEstimate(log: readonly GenerationEvent[]): boolean {
  return log.some(
    (event) =>
      (event.type === 'provider-error' || TERMINAL_WITH_USAGE.has(event.type)) &&
      'usage' in event &&
      event.usage.estimated,
  );
}

const TERMINAL_WITH_USAGE = new Set(['generation-end', 'generation-error', 'generation-cancel']);
