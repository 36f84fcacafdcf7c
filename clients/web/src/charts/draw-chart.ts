/** Draws a plan on a canvas with Chart.js. Loaded only with a view that has charts: import it dynamically. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import type { ChartColours } from './chart-colours.ts';
import { type ChartPlan, colourIndexOf } from './chart-plan.ts';

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

type Kind = 'bar' | 'line';
type Values = (number | null)[];

const MAX_TICKS = 6;
const FONT_PX = 12;

export class DrawnChart {
  readonly #chart: Chart<Kind, Values, string>;

  constructor(canvas: HTMLCanvasElement, plan: ChartPlan, colours: ChartColours) {
    this.#chart = new Chart(canvas, configurationOf(plan, colours));
  }

  /** Shows the values at a label, as the pointer would; null: none. */
  point(index: number | null): void {
    const { tooltip, data } = this.#chart;
    const active =
      index === null
        ? []
        : data.datasets.flatMap(({ data: values }, datasetIndex) =>
            values[index] === null ? [] : [{ datasetIndex, index }],
          );
    this.#chart.setActiveElements(active);
    tooltip?.setActiveElements(active, { x: 0, y: 0 });
    this.#chart.update();
  }

  destroy(): void {
    this.#chart.destroy();
  }
}

function configurationOf(plan: ChartPlan, colours: ChartColours): ChartConfiguration<Kind, Values, string> {
  const isStacked = plan.kind === 'bars';
  const font = { size: FONT_PX, family: getComputedStyle(document.body).fontFamily };
  return {
    type: isStacked ? 'bar' : 'line',
    data: {
      labels: [...plan.labels],
      datasets: plan.series.map((_, index) => datasetOf(plan, colours, index)),
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          stacked: isStacked,
          grid: { display: false },
          border: { color: colours.edge },
          ticks: { color: colours.muted, font, maxRotation: 0, autoSkipPadding: 12 },
        },
        y: {
          stacked: isStacked,
          beginAtZero: true,
          grid: { color: colours.edge },
          border: { display: false },
          ticks: {
            color: colours.muted,
            font,
            maxTicksLimit: MAX_TICKS,
            callback: (value) => plan.formatShort(Number(value)),
          },
        },
      },
      plugins: {
        tooltip: {
          bodyFont: font,
          titleFont: { ...font, weight: 'bold' },
          boxPadding: 4,
          padding: 10,
          // A stack of nothing but zeros would hide the values that matter.
          filter: ({ parsed }) => plan.kind === 'lines' || parsed.y !== 0,
          callbacks: {
            label: ({ dataset, parsed }) => ` ${dataset.label ?? ''}  ${plan.format(parsed.y ?? 0)}`,
          },
        },
      },
    },
  };
}

function datasetOf(plan: ChartPlan, colours: ChartColours, index: number): ChartDataset<Kind, Values> {
  const series = plan.series[index];
  if (series === undefined) throw new Error(`the plan has no series ${index}`);
  const colourIndex = colourIndexOf(series, index);
  const colour = (colourIndex === 'rest' ? undefined : colours.series[colourIndex]) ?? colours.rest;
  const shared = { label: series.name, data: [...series.values], backgroundColor: colour };
  if (plan.kind === 'bars') {
    return { ...shared, maxBarThickness: 36, borderRadius: 2, borderColor: colours.card, borderWidth: 0 };
  }
  return {
    ...shared,
    borderColor: colour,
    borderWidth: 2,
    // A lone point between two gaps has no line.
    pointRadius: plan.labels.length > 31 ? 1.5 : 3,
    pointHoverRadius: 5,
    tension: 0.25,
    spanGaps: false,
  };
}
