/** What a chart shows. The drawing and the table are made from the same plan, so they cannot differ. */

interface ChartSeries {
  readonly name: string;
  /** One value per label; null where there was nothing to measure. */
  readonly values: readonly (number | null)[];
  /** Index of its colour; absent: its place in the list. `rest` is the grey of all that has no colour. */
  readonly colour?: number | 'rest';
}

export interface ChartPlan {
  /** Bars are stacked, so that their height is the sum; lines are for values that cannot be added. */
  readonly kind: 'bars' | 'lines';
  /** What a label is, as the table's first column says: "Day". */
  readonly labelName: string;
  readonly labels: readonly string[];
  readonly series: readonly ChartSeries[];
  /** A value in full, for the table and when a label is read. */
  readonly format: (value: number) => string;
  /** A value in few characters, for the axis. */
  readonly formatShort: (value: number) => string;
}

/** Colours that a chart can tell apart; further series are summed by the view into one called "others". */
export const SERIES_COLOURS = 8;

export function colourIndexOf({ colour }: ChartSeries, index: number): number | 'rest' {
  return colour ?? index % SERIES_COLOURS;
}

/** The values at one label as a sentence: "Nov 12: sim-large $0.12, sim-small $0.01; together $0.13". */
export function readLabel(plan: ChartPlan, index: number): string {
  const values = plan.series.flatMap(({ name, values }) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ name, value }];
  });
  const label = plan.labels[index] ?? '';
  if (values.length === 0) return `${label}: nothing`;
  const inWords = values.map(({ name, value }) => `${name} ${plan.format(value)}`).join(', ');
  if (plan.kind === 'lines' || values.length === 1) return `${label}: ${inWords}`;
  return `${label}: ${inWords}; together ${plan.format(sumOf(values.map(({ value }) => value)))}`;
}

export function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
