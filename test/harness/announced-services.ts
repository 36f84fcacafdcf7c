/**
 * Where the services of the whole run are. Apart from shared-services.ts, so that a suite does not load the packages
 * with which they are started.
 */
const VARIABLE = 'UNBROKEN_TEST_SERVICES';

/** Tells the processes that this one starts later, such as the runner's workers, where the services are. */
export function announceServices(env: Readonly<Record<string, string>>): void {
  process.env[VARIABLE] = JSON.stringify(env);
}

export function announcedServices(): Record<string, string> {
  const announced = process.env[VARIABLE];
  if (announced === undefined) {
    throw new Error('no shared services: this suite needs the global setup of test/harness');
  }
  return JSON.parse(announced);
}
