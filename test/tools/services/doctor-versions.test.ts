import { expect, test } from '@jest/globals';
import { judgeVersions } from '../../../tools/services/doctor/check-versions.ts';
import type { WorkerVersion } from '../../../tools/services/worker-deployment.ts';

const version = (buildId: string, change: Partial<WorkerVersion> = {}): WorkerVersion => ({
  buildId,
  status: 'inactive',
  running: 0,
  workers: 1,
  ...change,
});
const judge = (current: string | null, versions: readonly WorkerVersion[], unversionedWorkers = 0) =>
  judgeVersions({ name: 'unbroken', current, ramp: null, versions, unversionedWorkers });

test('a current version with workers is well, and so are workers without a version where none is current', () => {
  expect(judge('2', [version('1'), version('2')])).toMatchObject([{ status: 'ok' }]);
  expect(judge(null, [version('1')], 1)).toMatchObject([{ status: 'ok' }]);
  expect(judge(null, [version('1', { workers: 0 })])).toEqual([]);
});

test('new generations that nobody takes are an error, with the command that helps', () => {
  const fix = 'Run: npx unbroken deployments set-current 2';
  expect(judge(null, [version('2')])).toMatchObject([{ status: 'error', fix }]);
  expect(judge('1', [version('1', { workers: 0 }), version('2')], 1)).toMatchObject([
    { status: 'error', fix },
  ]);
});

test('generations whose workers are gone are an error, with the command that moves them', () => {
  const lost = version('1', { running: 7, workers: 0, status: 'draining' });
  const [, finding] = judge('2', [lost, version('2')]);
  expect(finding).toMatchObject({
    status: 'error',
    found: expect.stringContaining('7 generations of 1'),
    fix: expect.stringContaining('deployments move 1'),
  });
});
