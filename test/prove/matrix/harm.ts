/** Plays the planned harm, and is the supervisor: whatever is down is started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seat } from '../../harness/stack.ts';
import type { EndedProcess } from './checks/check-processes.ts';
import { type Harm, PROCESS_KINDS, type ProcessKind, planHarm } from './plan-harm.ts';
import type { Stage, Wire } from './stage.ts';
import type { Timeline } from './timeline.ts';

interface HarmDone {
  readonly kills: Readonly<Record<ProcessKind, number>>;
  readonly stops: number;
  readonly cuts: number;
  readonly backlogs: number;
  /** Processes that ended though nobody killed them. */
  readonly ended: readonly EndedProcess[];
}

const RESTART_PAUSE_MS = 300;
const RESTARTED_WITHIN_MS = 90_000;
const WATCH_MS = 500;

interface HarmPlan {
  readonly seed: number;
  /** How many times the planned pauses last; 1 if absent. */
  readonly slowness?: number;
}

/** Harms until the signal, then waits until all is whole again. */
export async function harm(
  stage: Stage,
  { seed, slowness = 1 }: HarmPlan,
  timeline: Timeline,
  signal: AbortSignal,
): Promise<HarmDone> {
  const kills = Object.fromEntries(PROCESS_KINDS.map((kind) => [kind, 0])) as Record<ProcessKind, number>;
  const done = { stops: 0, cuts: 0, backlogs: 0 };
  const ended: EndedProcess[] = [];
  /** Each thing is harmed by one at a time. */
  const busy = new Set<Seat | Wire>();
  const healing: Promise<void>[] = [];
  const keep = (thing: Seat | Wire, healed: Promise<void>) => {
    busy.add(thing);
    healing.push(healed.finally(() => busy.delete(thing)));
  };
  const watch = setInterval(() => {
    for (const seat of downOf(stage).filter((candidate) => !busy.has(candidate))) {
      timeline.note(`${seat.name} ended by itself`);
      ended.push({ name: seat.name, log: seat.log() });
      keep(seat, startAgain(seat, timeline));
    }
  }, WATCH_MS);
  for (let index = 0; !signal.aborted; index += 1) {
    const planned = planHarm(seed, index);
    await sleep(planned.afterMs * slowness, null, { signal }).catch(() => 'ended');
    if (signal.aborted) break;
    if (planned.kind === 'cut') {
      const wire = stage.wires[planned.place % stage.wires.length];
      if (wire === undefined || busy.has(wire)) continue;
      done.cuts += 1;
      keep(wire, cut(wire, planned.fault, planned.forMs, timeline));
      continue;
    }
    if (planned.kind === 'backlog') {
      const [redis] = stage.seats.redis;
      const worker = stage.seats.worker[planned.place % stage.seats.worker.length];
      if (redis === undefined || worker === undefined || busy.has(redis) || busy.has(worker)) continue;
      done.backlogs += 1;
      kills.worker += 2;
      busy.add(redis);
      keep(
        worker,
        pileUp({ redis, worker }, planned, timeline).finally(() => busy.delete(redis)),
      );
      continue;
    }
    const seats = stage.seats[planned.victim];
    const seat = seats[planned.place % seats.length];
    if (seat === undefined || busy.has(seat)) continue;
    if (planned.kind === 'stop') {
      done.stops += 1;
      keep(seat, stopFor(seat, planned.forMs, timeline));
    } else {
      kills[planned.victim] += 1;
      keep(seat, killFor(seat, planned.downMs, timeline));
    }
  }
  clearInterval(watch);
  await Promise.all(healing);
  timeline.note('all is whole again');
  return { kills, ...done, ended };
}

export function downOf(stage: Stage): Seat[] {
  return Object.values(stage.seats)
    .flat()
    .filter((seat) => !seat.isRunning());
}

async function cut(
  wire: Wire,
  fault: Parameters<Wire['harm']>[0],
  forMs: number,
  timeline: Timeline,
): Promise<void> {
  timeline.note(`${wire.name}: ${fault.kind} for ${forMs} ms`);
  wire.harm(fault);
  await sleep(forMs);
  wire.mend();
}

async function stopFor(seat: Seat, forMs: number, timeline: Timeline): Promise<void> {
  timeline.note(`${seat.name}: SIGSTOP for ${forMs} ms`);
  await seat.freeze();
  await sleep(forMs);
  await seat.thaw();
}

/** Redis stands still until much has piled up; the worker dies while it writes that, and again while it catches up. */
async function pileUp(
  { redis, worker }: { readonly redis: Seat; readonly worker: Seat },
  { forMs, killAfterMs: [afterThaw, afterRestart] }: Extract<Harm, { kind: 'backlog' }>,
  timeline: Timeline,
): Promise<void> {
  await stopFor(redis, forMs, timeline);
  await sleep(afterThaw);
  await killFor(worker, 0, timeline);
  await sleep(afterRestart);
  await killFor(worker, 0, timeline);
}

export async function killFor(seat: Seat, downMs: number, timeline: Timeline): Promise<void> {
  timeline.note(`${seat.name}: SIGKILL, down for ${downMs} ms`);
  await seat.kill();
  await sleep(downMs);
  await startAgain(seat, timeline);
}

/** As a supervisor: until it stays up, for it may need a service that is down itself. */
export async function startAgain(seat: Seat, timeline: Timeline): Promise<void> {
  const deadline = Date.now() + RESTARTED_WITHIN_MS;
  for (;;) {
    try {
      await seat.restart();
      timeline.note(`${seat.name}: up`);
      return;
    } catch (error) {
      timeline.note(`${seat.name} did not start: ${String(error).slice(-400)}`);
      if (Date.now() > deadline) throw error;
      await sleep(RESTART_PAUSE_MS);
    }
  }
}
