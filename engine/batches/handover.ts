/**
 * Lines of a batch that wait at their vendors for the lower price of the vendors' own batches: which line is in which
 * of these, and what has become of each. A vendor's batch takes lines of one group, and so many; what one of them holds
 * is a part.
 */
import type { Candidate, GenerationOrder } from '../../contracts/generation.ts';
import type { GrantedReservation } from '../../contracts/steps.ts';

/** A line whose log exists: whatever becomes of its batch, it must be ended. */
export interface PreparedLine {
  /** Of the whole batch, from 0. */
  readonly line: number;
  readonly order: GenerationOrder;
  /** null: its budget has refused it, for now. */
  readonly reservation: GrantedReservation | null;
  /** null: it is called live. */
  readonly handed: HandedLine | null;
}

export interface HandedLine {
  /** Who answers it. */
  readonly candidate: Candidate;
  /** As its vendor's adapter groups lines. */
  readonly group: string;
  /** Of the line as it is sent. */
  readonly bytes: number;
}

export interface Part {
  /** From 0. */
  readonly part: number;
  readonly provider: string;
  /** Its lines, in their order. */
  readonly indexes: readonly number[];
}

/** What is known of a hand-over, one fact at a time: each is noted once, and the first note stays. */
export interface HandoverFacts {
  /** No line waits. */
  readonly live: { readonly reason: string };
  /** Lines wait, at most until this time: ms since 1970. */
  readonly plan: { readonly liveAtMs: number };
  /** A vendor's batch is to be created. */
  readonly [intent: `intent:${number}`]: PartIntent;
  /** A process is creating it, or may have created it before it died: taken back if its vendor has refused. */
  readonly [doubt: `doubt:${number}:${string}`]: { readonly atMs: number };
  readonly [ref: `ref:${number}`]: VendorRef;
  readonly [end: `end:${number}`]: PartEnd;
  /** All answers of the vendors are in the object store: so many. */
  readonly kept: { readonly answers: number };
}

interface PartIntent {
  readonly provider: string;
  readonly lines: number;
  /** ms since 1970. */
  readonly atMs: number;
}

/** A batch at its vendor, and the key that it was created with. */
export interface VendorRef {
  readonly vendorId: string;
  readonly keyId: string;
}

interface PartEnd {
  /** `refused`: none of its lines was accepted. `lost`: nothing is known of it, and it is waited for no more. */
  readonly state: 'ended' | 'refused' | 'lost';
  /** Why it was refused or lost. */
  readonly message: string | null;
}

export interface PartState extends PartIntent {
  readonly part: number;
  /** Its facts of that name: if there are none, its vendor has no batch of it that is not noted. */
  readonly doubts: readonly Doubt[];
  readonly ref: VendorRef | null;
  readonly end: PartEnd | null;
}

export type Doubt = `doubt:${number}:${string}`;

export interface Handover {
  /** Why no line waits; null: lines do, or it is not decided. */
  readonly liveReason: string | null;
  /** When what has no answer is called, ms since 1970; null: it is not decided. */
  readonly liveAtMs: number | null;
  readonly parts: readonly PartState[];
  /** Lines that the vendors have done, as far as they say. */
  readonly done: number;
  /** Answers in the object store; null: not all are there yet. */
  readonly answers: number | null;
}

interface PartLimits {
  readonly lines: number;
  readonly bytes: number;
}

/** Deals lines out to parts. The same lines in the same order make the same parts. */
export class PartPlan {
  readonly #mostOf: (provider: string) => PartLimits;
  readonly #parts: { readonly part: number; readonly provider: string; readonly indexes: number[] }[] = [];
  /** The part of each group that may take another line. */
  readonly #open = new Map<string, { readonly part: number; bytes: number }>();

  constructor(mostOf: (provider: string) => PartLimits) {
    this.#mostOf = mostOf;
  }

  add(line: number, { candidate: { provider }, group, bytes }: HandedLine): void {
    const key = JSON.stringify([provider, group]);
    const most = this.#mostOf(provider);
    // One more for what separates it from the next line.
    const needed = bytes + 1;
    const open = this.#open.get(key);
    const part = open === undefined ? undefined : this.#parts[open.part];
    if (open !== undefined && part !== undefined) {
      if (part.indexes.length < most.lines && open.bytes + needed <= most.bytes) {
        part.indexes.push(line);
        open.bytes += needed;
        return;
      }
    }
    this.#open.set(key, { part: this.#parts.length, bytes: needed });
    this.#parts.push({ part: this.#parts.length, provider, indexes: [line] });
  }

  parts(): readonly Part[] {
    return this.#parts;
  }
}

/** Reads the facts as they are stored. */
export function handoverOf(facts: ReadonlyMap<string, unknown>, done: number): Handover {
  const at = <Fact extends keyof HandoverFacts>(fact: Fact) =>
    facts.get(fact) as HandoverFacts[Fact] | undefined;
  const parts: PartState[] = [];
  for (let part = 0; ; part += 1) {
    const intent = at(`intent:${part}`);
    if (intent === undefined) break;
    const isDoubt = (fact: string): fact is Doubt => fact.startsWith(`doubt:${part}:`);
    parts.push({
      ...intent,
      part,
      doubts: [...facts.keys()].filter(isDoubt),
      ref: at(`ref:${part}`) ?? null,
      end: at(`end:${part}`) ?? null,
    });
  }
  return {
    liveReason: at('live')?.reason ?? null,
    liveAtMs: at('plan')?.liveAtMs ?? null,
    parts,
    done,
    answers: at('kept')?.answers ?? null,
  };
}
