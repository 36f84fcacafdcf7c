import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { announceServices, startSharedServices } from './shared-services.ts';
import { TEST_DATA_DIR } from './stack.ts';

/** Runs once before the end-to-end suites; what it returns to `globalThis` the tear-down takes. */
export default async function setUp(): Promise<void> {
  // The first suites start at the same time, and each of their workers would make the bundle.
  const [services] = await Promise.all([startSharedServices(), bundleWorkflows(TEST_DATA_DIR)]);
  announceServices(services);
  Object.assign(globalThis, { unbrokenServices: services });
}
