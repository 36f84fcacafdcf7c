import { announceServices, startSharedServices } from './shared-services.ts';

/** Runs once before the end-to-end suites; what it returns to `globalThis` the tear-down takes. */
export default async function setUp(): Promise<void> {
  const services = await startSharedServices();
  announceServices(services);
  Object.assign(globalThis, { unbrokenServices: services });
}
