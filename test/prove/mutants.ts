/** `npm run prove -- mutants`: every bug that is put back is seen by the check that is there for it. */
import { MUTANTS } from '../mutants/mutants.ts';
import { runMutants } from '../mutants/run-mutants.ts';

/**
 * Resolves with whether no mutant survived.
 * @param only names of mutants, or parts of them; all if there are none.
 */
export async function proveMutants(only: readonly string[]): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)));
  console.log(`mutants: ${chosen.length}; first the checks without any`);
  let isSound = true;
  const reports = await runMutants(chosen, {
    brokenBefore(check, output) {
      isSound = false;
      console.log(`BROKEN without a mutant: ${JSON.stringify(check)}\n  ${output}`);
    },
    ended({ mutant, caughtBy, tookMs }) {
      const seconds = `${(tookMs / 1_000).toFixed(0)} s`;
      if (caughtBy === null) {
        console.log(
          `SURVIVED ${mutant.name} (${seconds}): ${mutant.breaks}\n  ${JSON.stringify(mutant.caughtBy)}`,
        );
      } else console.log(`killed ${mutant.name} (${seconds})\n  by ${caughtBy.split('\n', 1)}`);
    },
  });
  const survived = reports.filter(({ caughtBy }) => caughtBy === null).length;
  console.log(`mutants ${reports.length} killed ${reports.length - survived} survived ${survived}`);
  return isSound && survived === 0 && reports.length > 0;
}
