import { rmSync } from 'node:fs';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { announceServices } from './announced-services.ts';
import { bundlePrograms } from './bundle-programs.ts';
import { announcePrograms } from './bundled-programs.ts';
import { PROJECT_ROOT } from './child-process.ts';
import { startSharedServices } from './shared-services.ts';
import { TEST_DATA_DIR } from './stack.ts';

/** Runs once before the end-to-end suites; what it leaves on `globalThis` the tear-down ends. */
export default async function setUp(): Promise<void> {
  // The first suites start at the same time, and each of their workers would make the bundle.
  const [services, programs] = await Promise.all([
    startSharedServices(),
    bundlePrograms(PROJECT_ROOT, TEST_DATA_DIR),
    bundleWorkflows(TEST_DATA_DIR),
  ]);
  announceServices(services.env);
  announcePrograms(programs);
  const endRun = async () => {
    await services.stop();
    rmSync(programs, { recursive: true, force: true });
  };
  Object.assign(globalThis, { endRun });
}
