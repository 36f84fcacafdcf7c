/** Numbers and tables as docs/scale.md writes them. */

type Cell = string | number;

const COLUMNS = 118;

/** Columns as wide as their widest cell, as the other pages have them. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [
    line(first),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...others.map(line),
  ].join('\n');
}

/** Prose in lines of at most 118 columns; those after the first begin with the indent. */
export function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= COLUMNS) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = `${indent}${word}`;
  }
  return [...lines, line].join('\n');
}

/** Three digits, with commas. */
export function amount(value: number): string {
  if (value >= 1_000) return Math.round(roundedTo(value, 3)).toLocaleString('en');
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : String(roundedTo(value, 2));
}

export function large(value: number): string {
  if (value >= 1e9) return `${amount(value / 1e9)} billion`;
  return value >= 1e6 ? `${amount(value / 1e6)} million` : amount(value);
}

export function bytes(value: number): string {
  if (value >= 1e15) return `${amount(value / 1e15)} PB`;
  if (value >= 1e12) return `${amount(value / 1e12)} TB`;
  if (value >= 1e9) return `${amount(value / 1e9)} GB`;
  if (value >= 1e6) return `${amount(value / 1e6)} MB`;
  return value >= 1e3 ? `${amount(value / 1e3)} kB` : `${amount(value)} B`;
}

export function gigabytes(value: number): string {
  return bytes(value * 1e9);
}

export function usd(value: number): string {
  return `$${amount(value)}`;
}

export function percent(share: number): string {
  return `${amount(share * 100)} %`;
}

/** How far the simulation is off, with its sign. */
export function error(simulated: number, measured: number): string {
  const share = Math.round((simulated / measured - 1) * 100);
  return `${share > 0 ? '+' : ''}${share} %`;
}

function roundedTo(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}
