/** The simulated provider's books: every call and what was generated for it. */
import { randomUUID } from 'node:crypto';
import type { Fault } from './faults.ts';
import type { SimulatedGeneration } from './generation.ts';
import type { Conversation } from './true-text.ts';

/** A call as a wire adapter has read it. */
export interface IncomingCall {
  readonly wire: 'openai-responses' | 'anthropic-messages';
  readonly model: string;
  readonly conversation: Conversation;
  readonly maxOutputTokens: number;
  readonly stream: boolean;
  readonly background: boolean;
}

export interface SimulatedCall {
  readonly id: string;
  readonly incoming: IncomingCall;
  readonly key: string;
  readonly inputTokens: number;
  readonly prefillTokens: number;
  readonly startedAt: number;
  readonly fault: Fault | null;
  /** null: it was refused before it began. */
  readonly generation: SimulatedGeneration | null;
}

export interface CallReport {
  readonly id: string;
  readonly wire: string;
  readonly model: string;
  readonly key: string;
  readonly outputTokensGenerated: number;
  readonly outputTokens: number;
  readonly inputTokens: number;
  readonly state: string;
  readonly status: string;
  readonly cancelled: boolean;
  readonly prefillTokens: number;
  readonly startedAt: number;
}

/** Oldest calls are forgotten past this, so that a long benchmark does not fill the memory. */
const CALLS_KEPT = 20_000;

export interface Calls {
  add(call: Omit<SimulatedCall, 'id' | 'startedAt'>): SimulatedCall;
  find(id: string): SimulatedCall | undefined;
  reports(): CallReport[];
  clear(): void;
  endAll(): void;
}

export function createCalls(): Calls {
  const calls = new Map<string, SimulatedCall>();
  // Forgetting the books must not lose responses that are still taken up.
  let reported: SimulatedCall[] = [];
  return {
    add: (details) => {
      const prefix = details.incoming.wire === 'openai-responses' ? 'resp' : 'msg';
      const call = {
        ...details,
        id: `${prefix}_${randomUUID().replaceAll('-', '')}`,
        startedAt: Date.now(),
      };
      calls.set(call.id, call);
      reported.push(call);
      const oldest = calls.size > CALLS_KEPT ? calls.keys().next().value : undefined;
      if (oldest !== undefined) calls.delete(oldest);
      if (reported.length > CALLS_KEPT) reported.shift();
      return call;
    },
    find: (id) => calls.get(id),
    reports: () => reported.map(toReport),
    clear: () => {
      reported = [];
    },
    endAll: () => {
      for (const { generation } of calls.values()) generation?.end('cancelled');
    },
  };
}

function toReport(call: SimulatedCall): CallReport {
  const { id, incoming, key, inputTokens, prefillTokens, startedAt, generation } = call;
  const outputTokens = generation?.produced() ?? 0;
  const state = generation?.state() ?? 'refused';
  return {
    ...{ id, wire: incoming.wire, model: incoming.model, key, prefillTokens, startedAt },
    ...{ outputTokensGenerated: outputTokens, outputTokens, state, status: state },
    // A refused call is not billed.
    inputTokens: generation === null ? 0 : inputTokens,
    cancelled: state === 'cancelled',
  };
}
