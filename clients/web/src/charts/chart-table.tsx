/** The values of a chart as a table. */
import { type ChartPlan, sumOf } from './chart-plan.ts';

/** All values of a chart. Bars have sums; the values of lines, such as percentiles, cannot be added. */
export function ChartTable({ title, plan }: { title: string; plan: ChartPlan }) {
  const hasSums = plan.kind === 'bars';
  const hasRowSums = hasSums && plan.series.length > 1;
  const format = (value: number | null) => (value === null ? '–' : plan.format(value));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="table-scroll" tabIndex={0} aria-label={`${title} as a table`}>
      <table class="data">
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{plan.labelName}</th>
            {plan.series.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            {hasRowSums && (
              <th scope="col" class="number">
                Total
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {plan.labels.map((label, index) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {plan.series.map(({ name, values }) => (
                <td key={name} class="number">
                  {format(values[index] ?? null)}
                </td>
              ))}
              {hasRowSums && (
                <td class="number">
                  {format(sumOf(plan.series.map(({ values }) => values[index] ?? null)))}
                </td>
              )}
            </tr>
          ))}
        </tbody>
        {hasSums && (
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              {plan.series.map(({ name, values }) => (
                <td key={name} class="number">
                  {format(sumOf(values))}
                </td>
              ))}
              {hasRowSums && (
                <td class="number">{format(sumOf(plan.series.flatMap(({ values }) => values)))}</td>
              )}
            </tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}
