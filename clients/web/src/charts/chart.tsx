/** A chart with its title, its legend, and all of its values as a table for those who cannot or will not see it. */
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { onThemeChange, readColours } from './chart-colours.ts';
import { type ChartPlan, colourIndexOf, readLabel } from './chart-plan.ts';
import { ChartTable } from './chart-table.tsx';
import type { DrawnChart } from './draw-chart.ts';

interface ChartProperties {
  readonly title: string;
  /** What a reader should know of the values: "p95 of all answers". */
  readonly note?: string;
  readonly plan: ChartPlan;
  /** Shown in place of a chart that would be empty. */
  readonly whenEmpty: string;
}

export function Chart({ title, note, plan, whenEmpty }: ChartProperties) {
  const titleId = useId();
  const [isTable, setTable] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const isEmpty = plan.series.every(({ values }) => values.every((value) => value === null || value === 0));
  const toggle = (name: string) =>
    setHidden((before) => (before.has(name) ? without(before, name) : new Set([...before, name])));
  return (
    <figure class="chart card" aria-labelledby={titleId}>
      <figcaption>
        <h2 id={titleId}>{title}</h2>
        {note !== undefined && <span class="hint">{note}</span>}
        {!isEmpty && (
          <button
            type="button"
            class="small as-table"
            aria-pressed={isTable}
            onClick={() => setTable(!isTable)}
          >
            Table<span class="visually-hidden"> of {title}</span>
          </button>
        )}
      </figcaption>
      {isEmpty && <p class="muted empty-chart">{whenEmpty}</p>}
      {!isEmpty && isTable && <ChartTable title={title} plan={plan} />}
      {!isEmpty && !isTable && (
        <>
          <Plot title={title} plan={plan} hidden={hidden} />
          {plan.series.length > 1 && <Legend title={title} plan={plan} hidden={hidden} onToggle={toggle} />}
        </>
      )}
    </figure>
  );
}

interface PlotProperties {
  readonly title: string;
  readonly plan: ChartPlan;
  readonly hidden: ReadonlySet<string>;
}

/** The drawing. The arrow keys read it label by label: a screen reader announces the value of a slider. */
function Plot({ title, plan, hidden }: PlotProperties) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<DrawnChart | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const shown = useMemo(() => planWithout(plan, hidden), [plan, hidden]);
  const [theme, setTheme] = useState(0);
  const [failure, setFailure] = useState(false);
  useEffect(() => onThemeChange(() => setTheme((before) => before + 1)), []);
  useEffect(() => {
    let isOver = false;
    import('./draw-chart.ts').then(
      ({ DrawnChart }) => {
        if (isOver || canvas.current === null) return;
        drawn.current = new DrawnChart(canvas.current, shown, readColours());
      },
      () => setFailure(true),
    );
    return () => {
      isOver = true;
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [shown, theme]);
  const last = plan.labels.length - 1;
  const point = (next: number | null) => {
    setIndex(next);
    drawn.current?.point(next);
  };
  const readByKey = (event: KeyboardEvent) => {
    const next = nextIndex(event.key, index, last);
    if (next === undefined) return;
    event.preventDefault();
    point(next);
  };
  if (failure) return <p class="fault">The chart could not be loaded; its table can.</p>;
  return (
    <div
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={`${title}: the arrow keys read the values`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={index ?? last}
      aria-valuetext={readLabel(shown, index ?? last)}
      onKeyDown={readByKey}
      onBlur={() => point(null)}
    >
      <canvas ref={canvas} />
    </div>
  );
}

/** null: the pointing ends; undefined: the key is not for the chart. */
function nextIndex(key: string, index: number | null, last: number): number | null | undefined {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, (index ?? last + 1) - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(last, (index ?? -1) + 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}

interface LegendProperties extends PlotProperties {
  readonly onToggle: (name: string) => void;
}

/** Each name hides and shows its series. */
function Legend({ title, plan, hidden, onToggle }: LegendProperties) {
  return (
    <ul class="series" aria-label={`Series of ${title}`}>
      {plan.series.map((series, index) => (
        <li key={series.name}>
          <button
            type="button"
            class="quiet small"
            aria-pressed={!hidden.has(series.name)}
            onClick={() => onToggle(series.name)}
          >
            <span class={`swatch colour-${colourIndexOf(series, index)}`} aria-hidden="true" />
            {series.name}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The colours stay those of all series. */
function planWithout(plan: ChartPlan, hidden: ReadonlySet<string>): ChartPlan {
  const series = plan.series
    .map((each, index) => ({ ...each, colour: colourIndexOf(each, index) }))
    .filter(({ name }) => !hidden.has(name));
  return { ...plan, series };
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...names].filter((each) => each !== name));
}
