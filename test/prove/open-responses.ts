/** The questions of Open Responses, asked of a live server: every object and event against the published models. */
import { OPEN_RESPONSES_CASES } from '../harness/open-responses/cases.ts';
import { runOpenResponses } from '../harness/open-responses/run-cases.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { type Stack, startStack } from '../harness/stack.ts';

export async function proveOpenResponses(): Promise<boolean> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ services: services.env });
    const reports = await runOpenResponses(stack, OPEN_RESPONSES_CASES);
    for (const { name, samples, faults } of reports) {
      console.info(`${faults.length === 0 ? 'pass' : 'FAIL'}  ${name} (${samples} objects and events)`);
      for (const fault of faults) console.info(`      ${fault}`);
    }
    const passed = reports.filter(({ faults }) => faults.length === 0).length;
    const validated = reports.reduce((sum, { samples }) => sum + samples, 0);
    console.info(`${passed} of ${reports.length} passed; ${validated} objects and events validated`);
    return passed === reports.length;
  } finally {
    await stack?.stop();
    await services.stop();
  }
}
