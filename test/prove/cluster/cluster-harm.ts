/**
 * Harms the cluster as planned, and is its supervisor. Of each service one node is down at a time, and the next harm to
 * it comes when it is whole again: that is what its copies are for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seat } from '../../harness/stack.ts';
import type { EndedProcess } from '../matrix/checks/check-processes.ts';
import { downOf, killFor, startAgain } from '../matrix/harm.ts';
import type { Timeline } from '../matrix/timeline.ts';
import type { ClusterStage, Group } from './cluster-stage.ts';
import { type ClusterHarm, planClusterHarm } from './plan-cluster-harm.ts';

interface ClusterHarmDone {
  readonly counts: Readonly<Record<string, number>>;
  /** Masters that a replica had replaced when they came back. */
  readonly failovers: number;
  /** Processes that ended though nobody killed them. */
  readonly ended: readonly EndedProcess[];
}

/** Of the 5,461 that a master has at first. Each takes a dozen commands. */
const MOVED_SLOTS = 60;
const WATCH_MS = 500;

export class ClusterHarmer {
  readonly #stage: ClusterStage;
  readonly #timeline: Timeline;
  readonly #counts: Record<string, number> = {};
  readonly #ended: EndedProcess[] = [];
  /** What is harmed, healed or replaced now. */
  readonly #busy = new Set<Group | Seat | 'workers'>();
  readonly #healing: Promise<void>[] = [];
  readonly #unhealed: unknown[] = [];
  #failovers = 0;

  constructor(stage: ClusterStage, timeline: Timeline) {
    this.#stage = stage;
    this.#timeline = timeline;
  }

  /** Harms until the signal, then waits until all is whole again. */
  async run(seed: number, signal: AbortSignal): Promise<ClusterHarmDone> {
    const watch = setInterval(() => this.#supervise(), WATCH_MS);
    try {
      for (let index = 0; !signal.aborted; index += 1) {
        const { kind, afterMs, downMs, place } = planClusterHarm(seed, index);
        await sleep(afterMs, null, { signal }).catch(() => 'ended');
        if (!signal.aborted) this.#begin(kind, downMs, place);
      }
    } finally {
      clearInterval(watch);
      await Promise.all(this.#healing);
    }
    if (this.#unhealed.length > 0) throw new AggregateError(this.#unhealed, 'The cluster did not recover.');
    this.#timeline.note('all is whole again');
    return { counts: this.#counts, failovers: this.#failovers, ended: this.#ended };
  }

  /** Meanwhile no worker is harmed. */
  async whileWorkersAreReplaced(replace: () => Promise<void>): Promise<void> {
    const workers = this.#stage.seats.worker;
    this.#busy.add('workers');
    try {
      while (workers.some((seat) => this.#busy.has(seat))) await sleep(WATCH_MS);
      await replace();
    } finally {
      this.#busy.delete('workers');
    }
  }

  #begin(kind: ClusterHarm, downMs: number, place: number): void {
    const { seats } = this.#stage;
    if (kind === 'redis-master') this.#harm('redis', kind, () => this.#killMaster(downMs, place));
    else if (kind === 'reshard') this.#harm('redis', kind, () => this.#reshard(place));
    else if (kind === 'postgres')
      this.#harm('temporal', kind, () => this.#kill(this.#stage.postgres, downMs));
    else if (kind === 'temporal-node')
      this.#harm('temporal', kind, () => this.#kill(chosen(seats.temporal, place), downMs));
    else if (kind === 'qdrant-node')
      this.#harm('qdrant', kind, () => this.#kill(chosen(seats.qdrant, place), downMs));
    else if (kind === 'api' || !this.#busy.has('workers'))
      this.#harm(chosen(seats[kind], place), kind, () => this.#kill(chosen(seats[kind], place), downMs));
  }

  #harm(victim: Group | Seat, kind: ClusterHarm, work: () => Promise<void>): void {
    if (this.#busy.has(victim)) return;
    this.#busy.add(victim);
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    const healed = async () => {
      await work();
      if (typeof victim === 'string') await this.#stage.untilWhole(victim as Group);
    };
    this.#heal(victim, healed());
  }

  #heal(victim: Group | Seat, healed: Promise<void>): void {
    const kept = healed.catch((error: unknown) => {
      this.#timeline.note(`not healed: ${String(error).slice(-400)}`);
      this.#unhealed.push(error);
    });
    this.#healing.push(kept.finally(() => this.#busy.delete(victim)));
  }

  async #kill(seat: Seat, downMs: number): Promise<void> {
    // One of a group is the group's, but the supervisor looks at seats.
    this.#busy.add(seat);
    try {
      await killFor(seat, downMs, this.#timeline);
    } finally {
      this.#busy.delete(seat);
    }
  }

  async #killMaster(downMs: number, place: number): Promise<void> {
    const { redis, seats } = this.#stage;
    const { port } = chosen(await redis.masters(), place);
    await this.#kill(
      chosen(
        seats.redis,
        redis.nodes.findIndex((node) => node.port === port),
      ),
      downMs,
    );
    await this.#stage.untilWhole('redis');
    const isMaster = (await redis.masters()).some((master) => master.port === port);
    if (!isMaster) this.#failovers += 1;
    this.#timeline.note(`redis on ${port} is ${isMaster ? 'still a master' : 'a replica now'}`);
  }

  async #reshard(place: number): Promise<void> {
    const { redis } = this.#stage;
    const masters = await redis.masters();
    const [from, target] = [chosen(masters, place), chosen(masters, place + 1)];
    this.#timeline.note(`moving ${MOVED_SLOTS} slots from ${from.port} to ${target.port}`);
    await redis.moveSlots(from, target, MOVED_SLOTS);
    this.#timeline.note('moved the slots');
  }

  #supervise(): void {
    const { postgres, front } = this.#stage;
    const down = [...downOf(this.#stage), ...[postgres, front].filter((seat) => !seat.isRunning())];
    for (const seat of down) {
      const isReplaced = this.#busy.has('workers') && seat.name.startsWith('worker');
      if (this.#busy.has(seat) || isReplaced) continue;
      this.#timeline.note(`${seat.name} ended by itself`);
      this.#ended.push({ name: seat.name, log: seat.log() });
      this.#busy.add(seat);
      this.#heal(seat, startAgain(seat, this.#timeline));
    }
  }
}

function chosen<Thing>(things: readonly Thing[], place: number): Thing {
  const thing = things[place % things.length];
  if (thing === undefined) throw new Error('there is nothing to choose from');
  return thing;
}
