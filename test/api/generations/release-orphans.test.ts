/** Which reservations no run will settle: those of lines that wait at a vendor are none of them. */
import { expect, test } from '@jest/globals';
import { WorkflowNotFoundError } from '@temporalio/client';
import { releaseOrphans } from '../../../api/generations/release-orphans.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { workflowId } from '../../../contracts/names.ts';

const TENANT = 'acme';
const OLD_MS = LIMITS.orphanAfterMs + 60_000;

/** @param runs the states of the runs that Temporal knows, by the ids of what they are runs of. */
function orphansOf(heldBy: string | null, ageMs: number, runs: Readonly<Record<string, string>>) {
  const reservation = {
    owner: { tenant: TENANT, user: 'ann', team: null, keyId: 'key' },
    generationId: 'gen_1',
    reservedAtMs: Date.now() - ageMs,
    reservedTokens: 10,
    reservedMicroUsd: 10,
    heldBy,
  };
  const getHandle = (id: string) => ({
    describe: async () => {
      const [, name] = Object.entries(runs).find(([run]) => workflowId(TENANT, run) === id) ?? [];
      if (name === undefined) throw new WorkflowNotFoundError('not found', id, undefined);
      return { status: { name } };
    },
  });
  const accounts = { open: async () => [reservation], reservationOf: async () => reservation };
  const dependencies = { accounts, temporal: { workflow: { getHandle } } };
  return releaseOrphans(dependencies as unknown as Parameters<typeof releaseOrphans>[0], TENANT, {
    repair: false,
  });
}

test('a line that has waited at its vendor for hours is no orphan while its batch runs', async () => {
  expect(await orphansOf('batch_1', OLD_MS, { batch_1: 'RUNNING' })).toEqual([]);
});

test('it is one once its batch has ended, or is not known, and any other without a run is one', async () => {
  for (const runs of [{ batch_1: 'COMPLETED' }, { batch_1: 'TERMINATED' }, {}]) {
    expect(await orphansOf('batch_1', OLD_MS, runs)).toEqual(['gen_1']);
  }
  expect(await orphansOf(null, OLD_MS, { batch_1: 'RUNNING' })).toEqual(['gen_1']);
});

test('one that is young, or has its own run, is none', async () => {
  expect(await orphansOf('batch_1', 1_000, {})).toEqual([]);
  expect(await orphansOf('batch_1', OLD_MS, { gen_1: 'RUNNING' })).toEqual([]);
});
