/** One flight, as the scripts of the flights keep it: who leads, who shares its cost, and since when that is fixed. */

import { LIMITS } from '../../contracts/limits.ts';
import { splitCost } from '../../contracts/share.ts';
import type { Debt, Flights, WholeAnswer } from '../../engine/cache/flights.ts';
import type { MemoryRedis } from './memory-redis.ts';

/** Who shares the answer of one leader. */
interface Members {
  readonly ids: Set<string>;
  readonly left: Set<string>;
  closed: { readonly atMs: number; readonly answer: WholeAnswer; readonly by: number } | null;
}

export class FlightStore {
  leader: string | null = null;
  readonly #members = new Map<string, Members>();
  readonly #redis: MemoryRedis;

  constructor(redis: MemoryRedis) {
    this.#redis = redis;
  }

  enter(leader: string, generationId: string): boolean {
    const members = this.#membersOf(leader);
    if (members.ids.has(generationId)) return true;
    if (this.#redis.logOf(leader)?.status !== 'running' || members.closed !== null) return false;
    if (members.left.has(generationId)) return false;
    members.ids.add(generationId);
    return true;
  }

  close(answer: WholeAnswer): number {
    const { generationId, opener } = answer;
    const log = this.#redis.logOf(generationId);
    if (log?.status !== 'running' || log.opener !== opener) return 1;
    const members = this.#membersOf(generationId);
    const by = members.ids.size + 1;
    members.closed = { atMs: Date.now(), answer, by };
    return by;
  }

  leave(leader: string, generationId: string): Debt {
    const { ids, left, closed } = this.#membersOf(leader);
    const log = this.#redis.logOf(leader);
    if (closed !== null && ids.has(generationId)) {
      const isOwed = log?.status === 'completed' && log.opener === closed.answer.opener;
      if (isOwed)
        return { state: 'owed', by: closed.by, share: splitCost(closed.answer.used, closed.by).each };
      const isWaitedFor = Date.now() - closed.atMs < LIMITS.flightClosedMs;
      if (log?.status === 'running' && isWaitedFor) return { state: 'pending' };
    }
    ids.delete(generationId);
    left.add(generationId);
    return { state: 'none' };
  }

  discharge(leader: string, generationId: string): void {
    this.#membersOf(leader).ids.delete(generationId);
  }

  #membersOf(leader: string): Members {
    const known = this.#members.get(leader);
    if (known !== undefined) return known;
    const members: Members = { ids: new Set(), left: new Set(), closed: null };
    this.#members.set(leader, members);
    return members;
  }
}

const FLIGHT = { partition: 'p', key: 'k' };
const IDS = { entryId: 'e', questionId: 'e' };

/** A process that sends a command and waits for its reply; either may be lost. */
interface AskingProcess {
  ask<Value>(label: () => string, effect: () => Value): Promise<Value>;
}

export function createSimulatedFlights(store: FlightStore, process: AskingProcess): Flights {
  return {
    join: (_question, generationId, { mayLead }) =>
      process.ask(
        () => `${generationId} joins the flight`,
        () => {
          if (store.leader === null) {
            if (mayLead) store.leader = generationId;
            return { role: 'alone' } as const;
          }
          if (store.leader === generationId) return { role: 'alone' } as const;
          return {
            role: 'follow',
            leader: store.leader,
            flight: FLIGHT,
            similarity: 1,
            matchedBy: 'same-words',
            ...IDS,
          } as const;
        },
      ),
    enter: (leader, generationId) =>
      process.ask(
        () => `${generationId} enters the flight`,
        () => store.enter(leader, generationId),
      ),
    close: (_question, answer) =>
      process.ask(
        () => `${answer.generationId} closes the flight`,
        () => store.close(answer),
      ),
    forget: async () => undefined,
    leave: (leader, generationId) =>
      process.ask(
        () => `${generationId} leaves the flight`,
        () => store.leave(leader, generationId),
      ),
    discharge: (leader, generationId) =>
      process.ask(
        () => `${generationId} is discharged`,
        () => store.discharge(leader, generationId),
      ),
    dissolve: (_flight, leader) =>
      process.ask(
        () => `the flight of ${leader} is dissolved`,
        () => {
          if (store.leader === leader) store.leader = null;
        },
      ),
  };
}
