const common = {
  testEnvironment: 'node',
  runtime: '<rootDir>/test/harness/native-runtime.ts',
  // Installed packages of others, whose tests and names are not ours.
  modulePathIgnorePatterns: ['<rootDir>/.unbroken/'],
  // Node runs TypeScript itself.
  transform: {},
};

export default {
  // Long enough for a machine that is busy with other work: it ends a test that hangs, and measures nothing.
  testTimeout: 300_000,
  // End-to-end suites wait more than half of their time for other processes, so four keep two cores busy.
  maxWorkers: 4,
  testSequencer: '<rootDir>/test/harness/slow-first.ts',
  projects: [
    { ...common, displayName: 'parts', testMatch: ['<rootDir>/test/!(e2e|proxies)/**/*.test.ts'] },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/{e2e,proxies}/**/*.test.ts'],
      globalSetup: '<rootDir>/test/harness/global-setup.ts',
      globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
    },
  ],
};
