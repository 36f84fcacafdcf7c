/** The table of all fields, as it is kept: one row for each, with its outcome at each format of provider. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FieldTable } from './check-all.ts';
import { OUTCOMES, type Outcome } from './check-field.ts';
import { FORMATS, fieldNames, UPSTREAMS, type Upstream } from './formats.ts';

export const TABLE_PATH = fileURLToPath(new URL('table.json', import.meta.url));
export const DOCS_PATH = fileURLToPath(new URL('../../../docs/wires-fields.md', import.meta.url));

const COLUMNS = Object.keys(UPSTREAMS) as Upstream[];
const TITLES: Readonly<Record<Upstream, string>> = {
  'openai-chat': 'to chat',
  'openai-responses': 'to Responses',
  'anthropic-messages': 'to messages',
  google: 'to Gemini',
};

export function readTable(): FieldTable {
  const kept = JSON.parse(readFileSync(TABLE_PATH, 'utf8')) as Record<string, Record<string, string>>;
  const table: FieldTable = {};
  for (const [format, rows] of Object.entries(kept)) {
    table[format] = Object.fromEntries(
      Object.entries(rows).map(([field, row]) => {
        const cells = row.split(' | ');
        const outcomes = COLUMNS.map((column, index) => [column, cells[index] ?? '']);
        return [field, Object.fromEntries(outcomes) as Record<Upstream, Outcome>];
      }),
    );
  }
  return table;
}

/** One line a row, so that a new version of an SDK shows as the lines that it adds. */
export function tableText(table: FieldTable): string {
  const formats = FORMATS.map((format) => {
    const rows = fieldNames(format).map(
      (field) =>
        `    ${JSON.stringify(field)}: ${JSON.stringify(cellsOf(table[format.name]?.[field]).join(' | '))}`,
    );
    return `  ${JSON.stringify(format.name)}: {\n${rows.join(',\n')}\n  }`;
  });
  return `{\n${formats.join(',\n')}\n}\n`;
}

function cellsOf(row: Partial<Record<Upstream, Outcome>> | undefined): Outcome[] {
  return COLUMNS.map((column) => row?.[column] ?? 'LOST: not checked');
}

/** Rows without a field, and fields without a row. */
export function staleRows(table: FieldTable): { readonly missing: string[]; readonly extra: string[] } {
  const fields = FORMATS.flatMap((format) => fieldNames(format).map((field) => `${format.name} ${field}`));
  const rows = Object.entries(table).flatMap(([format, own]) =>
    Object.keys(own).map((field) => `${format} ${field}`),
  );
  return {
    missing: fields.filter((field) => !rows.includes(field)),
    extra: rows.filter((row) => !fields.includes(row)),
  };
}

/** How many outcomes there are of each kind. */
export function countOutcomes(table: FieldTable): Readonly<Record<string, number>> {
  const outcomes = Object.values(table).flatMap((rows) =>
    Object.values(rows).flatMap((row) => Object.values(row)),
  );
  return Object.fromEntries(
    OUTCOMES.map((kind) => [kind, outcomes.filter((outcome) => outcome.startsWith(kind)).length]),
  );
}

/** The rows that differ, as lines. */
export function differences(expected: FieldTable, actual: FieldTable): string[] {
  return Object.entries(actual).flatMap(([format, rows]) =>
    Object.entries(rows).flatMap(([field, row]) =>
      Object.entries(row).flatMap(([upstream, outcome]) => {
        const known = expected[format]?.[field]?.[upstream as Upstream];
        return known === outcome ? [] : [`${format} ${field} at ${upstream}: ${outcome}, expected ${known}`];
      }),
    ),
  );
}

/** docs/wires-fields.md, from `table`. */
export function docsText(table: FieldTable, introduction: string): string {
  const sections = FORMATS.map((format) => {
    const rows = table[format.name] ?? {};
    const isRejected = (field: string) => Object.values(rows[field] ?? {}).every((own) => own === 'rejected');
    const [refused, others] = [
      Object.keys(rows).filter(isRejected),
      Object.keys(rows).filter((own) => !isRejected(own)),
    ];
    const lines = groupByType(others).flatMap(([type, fields]) => typeLines(type, fields, rows));
    const list = groupByType(refused).flatMap(([type, fields]) =>
      wrapped(`- ${type}: ${fields.map(code).join(', ')}`),
    );
    return [
      `## ${format.title}`,
      '',
      `Types of \`${format.sdk}\`: \`${format.root.name}\` and what it holds.`,
      '',
      ...aligned([['type and fields', ...COLUMNS.map((column) => TITLES[column])], ...lines]),
      '',
      '**Rejected wherever they go**, with a 400 that names them or what they are part of:',
      '',
      ...list,
    ].join('\n');
  });
  return `${introduction.trimEnd()}\n\n${sections.join('\n\n')}\n`;
}

/** Lines of a list of at most as many columns as prose may have. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 120) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function groupByType(fields: readonly string[]): [string, string[]][] {
  const types = new Map<string, string[]>();
  for (const field of fields) {
    const dot = field.lastIndexOf('.');
    const type = field.slice(0, dot);
    types.set(type, [...(types.get(type) ?? []), field.slice(dot + 1)]);
  }
  return [...types];
}

/** Fields of one type with the same outcomes share a line. */
function typeLines(type: string, fields: readonly string[], rows: FieldTable[string]): string[][] {
  const groups = new Map<string, { readonly cells: string[]; readonly fields: string[] }>();
  for (const field of fields) {
    const cells = cellsOf(rows?.[`${type}.${field}`]).map(cellOf);
    const group = groups.get(cells.join()) ?? { cells, fields: [] };
    group.fields.push(field);
    groups.set(cells.join(), group);
  }
  return [...groups.values()].map((group) => [
    `${type}: ${group.fields.map(code).join(', ')}`,
    ...group.cells,
  ]);
}

/** A table as the formatter of the project aligns it; the first row is its head. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...others] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)];
}

function cellOf(outcome: Outcome): string {
  const [, path] = /^translated: (.*)$/.exec(outcome) ?? [];
  return path === undefined ? outcome : code(path);
}

function code(text: string): string {
  return `\`${text}\``;
}
