/** Splits the CPU of generations of several kinds into what each generation, token, append and adoption costs. */
import type { MeasuredProcess, Part } from './costs.ts';
import { MEASURED_PROCESSES, PARTS } from './costs.ts';

/** The mean of the generations of one kind. */
interface CostRow {
  readonly tokens: number;
  /** Appends to the log. */
  readonly frames: number;
  readonly isAdopted: boolean;
  readonly cpuMs: Readonly<Record<MeasuredProcess, number>>;
}

/** What a process has to do with; the others are 0. */
const PARTS_OF: Readonly<Record<MeasuredProcess, readonly Part[]>> = {
  API: PARTS,
  worker: PARTS,
  Temporal: ['generation', 'adoption'],
  Redis: PARTS,
  Qdrant: ['generation'],
  client: ['generation', 'token', 'frame'],
  provider: ['generation', 'token'],
};
const ROUNDS = 1_500;
/** So that a row of nearly no CPU does not outweigh the others. */
const LEAST_MS = 1;

type FittedCosts = Record<Part, Record<MeasuredProcess, number>>;

/** No cost is negative: least squares of the relative errors by coordinate descent. */
export function fitCosts(rows: readonly CostRow[]): FittedCosts {
  const fitted = Object.fromEntries(
    MEASURED_PROCESSES.map((process) => [process, fitProcess(rows, process)]),
  ) as Record<MeasuredProcess, Record<Part, number>>;
  const entries = PARTS.map((part) => [
    part,
    Object.fromEntries(MEASURED_PROCESSES.map((process) => [process, fitted[process][part]])),
  ]);
  return Object.fromEntries(entries) as FittedCosts;
}

function fitProcess(rows: readonly CostRow[], process: MeasuredProcess): Record<Part, number> {
  const cost: Record<Part, number> = { generation: 0, token: 0, frame: 0, adoption: 0 };
  const times = ({ tokens, frames, isAdopted }: CostRow, part: Part): number =>
    ({ generation: 1, token: tokens, frame: frames, adoption: isAdopted ? 1 : 0 })[part];
  const predicted = (row: CostRow) => PARTS.reduce((sum, part) => sum + cost[part] * times(row, part), 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const part of PARTS_OF[process]) {
      let [above, below] = [0, 0];
      for (const row of rows) {
        const weight = 1 / Math.max(LEAST_MS, row.cpuMs[process]) ** 2;
        const count = times(row, part);
        const others = predicted(row) - cost[part] * count;
        above += weight * count * (row.cpuMs[process] - others);
        below += weight * count * count;
      }
      cost[part] = below === 0 ? 0 : Math.max(0, above / below);
    }
  }
  return cost;
}
