/** Costs in round numbers. */
import {
  type Costs,
  MEASURED_PROCESSES,
  type MeasuredProcess,
  parseCosts,
} from '../../../../tools/bench/scale/costs.ts';

type ByProcess = Record<MeasuredProcess, number>;

function amounts(some: Partial<ByProcess> = {}): ByProcess {
  return Object.fromEntries(MEASURED_PROCESSES.map((name) => [name, some[name] ?? 0])) as ByProcess;
}

export function costsWith(change: Partial<Costs> = {}): Costs {
  return parseCosts({
    measuredOn: '2026-01-01',
    machine: { cores: 2, cpu: 'made up', node: 'v24' },
    frameMs: 10,
    cpuMs: {
      generation: amounts({ API: 2, worker: 8, Temporal: 6, Redis: 1, client: 1, provider: 1 }),
      token: amounts({ worker: 0.01, provider: 0.01, client: 0.01 }),
      frame: amounts({ API: 0.1, worker: 0.1, Redis: 0.05 }),
      adoption: amounts({ worker: 5, Temporal: 5 }),
    },
    beforeFirstMs: amounts({ API: 1, worker: 4, Temporal: 3, Redis: 0.5, client: 0.5, provider: 0.5 }),
    mainShare: { API: 0.8, worker: 0.5, Temporal: 1, Redis: 1, Qdrant: 1, client: 1, provider: 1 },
    generation: {
      tokens: 300,
      tokensPerSecond: 50,
      seconds: 6,
      cpuMs: amounts({ API: 10, worker: 40, Temporal: 10, Redis: 8 }),
      frames: 250,
      historyEvents: 14,
      historyBytes: 5_000,
      stateWrites: 6,
      temporalBytes: 20_000,
      redisCommands: 500,
      redisNetworkBytes: 200_000,
      runningLogBytes: 20_000,
      endedLogBytes: 2_000,
      entryBytes: 400,
      reservationBytes: 300,
    },
    cache: { cpuMs: amounts({ worker: 20, Redis: 0.5 }), qdrantRequests: 3, redisCommands: 5 },
    memory: { apiMiB: 200, workerMiB: 400, apiStreamMiB: 0.1, workerStreamMiB: 1 },
    provider: { firstMs: 3, tokenMs: 5 },
    pointLoad: { tokens: 40, delayMs: 5 },
    points: [
      {
        concurrency: 1,
        requests: 10,
        firstMeanMs: 21,
        firstMs: 20,
        firstP99Ms: 30,
        perSecond: 4,
        cpuMs: 20,
        otherCores: 0,
      },
    ],
    ...change,
  });
}
