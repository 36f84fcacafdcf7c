/** Providers that we did not write (`@copilotkit/aimock`), on every wire: a line for each thing that they do. */

import { startSharedServices } from '../harness/shared-services.ts';
import { UPSTREAM_ROWS } from '../harness/upstreams/rows.ts';
import { runUpstreamRows } from '../harness/upstreams/run-rows.ts';
import { UPSTREAM_WIRES } from '../harness/upstreams/start-upstream.ts';

const NAME_WIDTH = 44;
const CELL_WIDTH = 20;

/** Prints the table and resolves with whether all is right. `only`: a part of a row's name. */
export async function proveUpstreams(only: string | undefined): Promise<boolean> {
  const services = await startSharedServices();
  try {
    const rows = UPSTREAM_ROWS.filter(({ name }) => only === undefined || name.includes(only));
    const verdicts = await runUpstreamRows(rows, services.env);
    console.log(
      ['', ...UPSTREAM_WIRES].map((wire, at) => wire.padEnd(at === 0 ? NAME_WIDTH : CELL_WIDTH)).join(''),
    );
    for (const { name } of rows) {
      const cells = UPSTREAM_WIRES.map((wire) => {
        const verdict = verdicts.find((own) => own.row === name && own.wire === wire);
        const word = verdict?.problems.length === 0 ? 'pass' : 'FAIL';
        return `${word} ${verdict?.ms ?? 0} ms`.padEnd(CELL_WIDTH);
      });
      console.log(name.padEnd(NAME_WIDTH) + cells.join(''));
    }
    const failed = verdicts.filter(({ problems }) => problems.length > 0);
    for (const { row, wire, problems } of failed) console.log(`${wire}, ${row}: ${problems.join('; ')}`);
    console.log(`passed ${verdicts.length - failed.length} of ${verdicts.length}`);
    return failed.length === 0 && verdicts.length > 0;
  } finally {
    await services.stop();
  }
}
