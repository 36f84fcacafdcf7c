/**
 * The provider's bill is what the ledger has booked, for each line, step and schedule. A call whose answer, or whose
 * count, never came can only be estimated: it must be marked so, and is counted apart as orphaned.
 */
import type { JournalLine } from '../../../../tools/simulator/journal.ts';
import { type Fault, fault } from './fault.ts';

export interface BookedEntry {
  readonly tenant: string;
  readonly user: string;
  readonly generation: string;
  readonly spentTokens: number;
  readonly spentMicroUsd: number;
  readonly isEstimated: boolean;
}

/** What the log of a generation says. */
export interface LogFacts {
  /** Attempts that sent a new call to the provider. */
  readonly calls: number;
  readonly isEstimated: boolean;
  /** Tokens that its end reports; null without an end. */
  readonly usedTokens: number | null;
}

/** What is asked under one mark, and the generations that asked it. */
export interface Payer {
  readonly mark: string;
  readonly generationIds: readonly string[];
}

export interface Bills {
  readonly payers: readonly Payer[];
  readonly calls: readonly Pick<JournalLine, 'prompt' | 'inputTokens' | 'made'>[];
  readonly ledger: readonly BookedEntry[];
  readonly logs: ReadonlyMap<string, LogFacts>;
  readonly markIn: (prompt: string) => string | null;
}

export interface BillVerdict {
  readonly faults: readonly Fault[];
  readonly exact: { readonly billed: number; readonly booked: number };
  readonly orphaned: { readonly marks: number; readonly billed: number; readonly booked: number };
}

/** Lines whose results do not name their generation are judged together. */
const OTHERS = 'all others';

export function checkBills(bills: Bills): BillVerdict {
  const { calls, ledger, logs, markIn } = bills;
  const payers = withOthers(bills);
  const marks = new Set(payers.map(({ mark }) => mark));
  const callsOf = Map.groupBy(calls, ({ prompt }) => {
    const mark = markIn(prompt);
    return mark !== null && marks.has(mark) ? mark : OTHERS;
  });
  const entriesOf = Map.groupBy(ledger, ({ generation }) => generation);
  const faults: Fault[] = [];
  const exact = { billed: 0, booked: 0 };
  const orphaned = { marks: 0, billed: 0, booked: 0 };
  for (const { mark, generationIds } of payers) {
    const own = callsOf.get(mark) ?? [];
    const entries = generationIds.flatMap((id) => entriesOf.get(id) ?? []);
    const facts = generationIds.flatMap((id) => logs.get(id) ?? []);
    const billed = sum(own, ({ inputTokens, made }) => inputTokens + made);
    const booked = sum(entries, ({ spentTokens }) => spentTokens);
    const attempts = sum(facts, (log) => log.calls);
    if (own.length > attempts)
      faults.push(fault('paid_twice', mark, `${own.length} calls, ${attempts} on record`));
    faults.push(...generationIds.flatMap((id) => checkSettled(id, entriesOf.get(id) ?? [], logs.get(id))));
    const isEstimated = [...entries, ...facts].some((each) => each.isEstimated);
    const sums = isEstimated ? orphaned : exact;
    sums.billed += billed;
    sums.booked += booked;
    if (isEstimated) orphaned.marks += 1;
    else if (billed !== booked)
      faults.push(
        fault(booked < billed ? 'unpaid' : 'paid_twice', mark, `billed ${billed}, booked ${booked}`),
      );
  }
  return { faults, exact, orphaned };
}

/** A generation is booked at what its log says that it used, however often it was settled. */
function checkSettled(id: string, entries: readonly BookedEntry[], log: LogFacts | undefined): Fault[] {
  const spent = sum(entries, ({ spentTokens }) => spentTokens);
  if (log === undefined || log.usedTokens === null || log.usedTokens === spent) return [];
  const wrong = log.usedTokens < spent ? 'paid_twice' : 'unpaid';
  return [fault(wrong, id, `its log says that it used ${log.usedTokens}, the ledger booked ${spent}`)];
}

function withOthers({ payers, ledger }: Bills): readonly Payer[] {
  const named = new Set(payers.flatMap(({ generationIds }) => generationIds));
  const others = new Set(ledger.map(({ generation }) => generation).filter((id) => !named.has(id)));
  return [...payers, { mark: OTHERS, generationIds: [...others] }];
}

/** What a batch or a job says that it used and cost is what was booked for it. */
export interface Shown {
  readonly name: string;
  readonly tokens: number;
  readonly costMicroUsd: number;
  readonly booked: readonly BookedEntry[];
}

export function checkShown({ name, tokens, costMicroUsd, booked }: Shown): Fault[] {
  const bookedTokens = sum(booked, (entry) => entry.spentTokens);
  const bookedMicroUsd = sum(booked, (entry) => entry.spentMicroUsd);
  if (tokens === bookedTokens && costMicroUsd === bookedMicroUsd) return [];
  const detail = `it shows ${tokens} tokens, ${costMicroUsd} micro-USD; booked are ${bookedTokens}, ${bookedMicroUsd}`;
  return [fault('miscounted', name, detail)];
}

function sum<Value>(values: readonly Value[], of: (value: Value) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
