/**
 * The registry of a process. Names are OpenTelemetry's if it has one, in Prometheus' spelling. Labels have few
 * values: no user, no tenant, no generation. `bounded` limits the values that a caller may invent, such as the name
 * of a model.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Config } from '../../platform/config/load-config.ts';
import { routedModels } from '../../platform/config/route-schema.ts';

/** Models and providers that callers name, with their own series in one process; later ones share `other`. */
const MOST_VALUES = 100;

/** Bounds of the conventions for generative AI; seconds. */
export const CALL_SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
export const FIRST_TOKEN_SECONDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
export const PER_TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
export const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/** For steps between our own processes. */
export const SHORT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  gauge(name: string, help: string, read?: () => number): Gauge;
  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly Label[],
  ): Histogram<Label>;
  /** The name if the config has it or it is one of the first, else `other`. */
  bounded(name: string): string;
}

/** @param routes whose models have their own series, whatever callers name before. */
export function createMetrics(routes: Config['routes'] = {}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const own = new Set(Object.entries(routedModels(routes)).flat(2));
  const known = new Set<string>();
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, read) =>
      new Gauge({
        name,
        help,
        registers,
        ...(read === undefined
          ? {}
          : {
              collect() {
                this.set(read());
              },
            }),
      }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    bounded: (name) => {
      if (own.has(name) || known.has(name)) return name;
      if (known.size >= MOST_VALUES) return 'other';
      known.add(name);
      return name;
    },
  };
}
