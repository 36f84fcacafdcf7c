/** Writes the table and its page after a run that checked every field. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { FieldTable } from './check-all.ts';
import { DOCS_PATH, docsText, readTable, TABLE_PATH, tableText } from './table.ts';

export function introduction(): string {
  return readFileSync(new URL('introduction.md', import.meta.url), 'utf8');
}

export function writeTable(table: FieldTable): void {
  writeFileSync(TABLE_PATH, tableText(table));
  writeFileSync(DOCS_PATH, docsText(readTable(), introduction()));
}
