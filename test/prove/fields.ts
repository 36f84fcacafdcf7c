/** Every field of every format, to a provider of each: what became of it. */
import { checkAllFields } from '../harness/fields/check-all.ts';
import { FORMATS, fieldNames } from '../harness/fields/formats.ts';
import { countOutcomes, differences, readTable, staleRows } from '../harness/fields/table.ts';
import { writeTable } from '../harness/fields/write-table.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { type Stack, startStack } from '../harness/stack.ts';

/** @param write whether the table and its page are written from what was found. */
export async function proveFields({ write }: { readonly write: boolean }): Promise<boolean> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ services: services.env });
    // Each alone, whatever the table says: the table is written from this.
    const found = await checkAllFields(stack);
    if (write) writeTable(found);
    const fields = FORMATS.reduce((sum, format) => sum + fieldNames(format).length, 0);
    const { LOST: lost = 0, ...counts } = countOutcomes(found);
    const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
    console.info(`${fields} fields, each to providers of 4 formats: ${kinds.join(', ')}; ${lost} lost`);
    const table = readTable();
    const { missing, extra } = staleRows(table);
    const wrong = [...differences(table, found), ...missing, ...extra];
    for (const line of wrong) console.error(line);
    return lost === 0 && wrong.length === 0;
  } finally {
    await stack?.stop();
    await services.stop();
  }
}
