/** The histories of an erased user on a real Temporal: one that deletes them, and one that refuses to. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ErasedKind } from '../../../contracts/erasure.ts';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPE, workflowId } from '../../../contracts/names.ts';
import { DAY_MS } from '../../../contracts/time.ts';
import { ErasedRuns } from '../../../engine/erasure/erased-runs.ts';
import type { ErasureScope, Found } from '../../../engine/erasure/erasures.ts';
import { SEARCH_KEYS } from '../../../platform/temporal/search-keys.ts';
import { findTemporalExecutable } from '../../../tools/services/programs/temporal-cli.js';
import { DYNAMIC_CONFIG } from '../../../tools/services/provide-temporal.ts';
import { refuseAtTemporal } from '../../harness/refusing-temporal.ts';
import { waitFor } from '../../harness/wait-for.ts';

const TENANT = 'acme';
let temporal: TestWorkflowEnvironment;
let refusing: Awaited<ReturnType<typeof refuseAtTemporal>>;
let refused: Connection;
beforeAll(async () => {
  const path = await findTemporalExecutable(() => undefined);
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const settings = Object.entries(DYNAMIC_CONFIG).flatMap(([name, value]) => [
    '--dynamic-config-value',
    `${name}=${value}`,
  ]);
  temporal = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: [...attributes, ...settings],
    },
  });
  refusing = await refuseAtTemporal(temporal.address, 'DeleteWorkflowExecution');
  refused = await Connection.connect({ address: refusing.address });
});
afterAll(async () => {
  await refused?.close();
  refusing?.stop();
  await temporal?.teardown();
});

class Notes implements Found {
  readonly #ids = new Map<ErasedKind, Set<string>>();

  async add(kind: ErasedKind, ids: readonly string[]): Promise<number> {
    const known = this.#of(kind);
    const before = known.size;
    for (const id of ids) known.add(id);
    return known.size - before;
  }

  async remove(kind: ErasedKind, ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#of(kind).delete(id);
  }

  async has(kind: ErasedKind, id: string): Promise<boolean> {
    return this.#of(kind).has(id);
  }

  async all(kind: ErasedKind): Promise<readonly string[]> {
    return [...this.#of(kind)];
  }

  #of(kind: ErasedKind): Set<string> {
    const ids = this.#ids.get(kind) ?? new Set();
    this.#ids.set(kind, ids);
    return ids;
  }
}

/** Runs of generations of one user that were terminated, which needs no worker. */
async function endedRuns(count: number): Promise<ErasureScope> {
  const user = `ann-${randomUUID()}`;
  for (let run = 0; run < count; run += 1) {
    const handle = await temporal.client.workflow.start(WORKFLOW_TYPE, {
      workflowId: workflowId(TENANT, `gen_${randomUUID()}`),
      taskQueue: 'nobody',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_KEYS.tenant, value: TENANT },
        { key: SEARCH_KEYS.user, value: user },
      ]),
    });
    await handle.terminate();
  }
  await waitFor('the list to have them', async () => {
    let ended = 0;
    for await (const { status } of list(user)) ended += status.name === 'TERMINATED' ? 1 : 0;
    return ended === count;
  });
  return { tenant: TENANT, user, jobId: null, erasureId: 'erase_1', beforeMs: Date.now() };
}

const list = (user: string) => temporal.client.workflow.list({ query: `UnbrokenUser = "${user}"` });

async function deleteHistories(client: Client, scope: ErasureScope, found: Found) {
  const runs = new ErasedRuns({
    temporal: client,
    requestCancel: async () => undefined,
    endLog: async () => true,
  });
  const progress = { from: null, report: () => undefined, signal: AbortSignal.timeout(60_000) };
  return runs.deleteHistories(scope, found, progress);
}

test('histories are deleted, each counted once, until Temporal lists none', async () => {
  const [scope, found] = [await endedRuns(3), new Notes()];
  await waitFor('all to be gone', async () => {
    const { found: listed, pending, left } = await deleteHistories(temporal.client, scope, found);
    expect([pending, left]).toEqual([listed, { count: 0, untilMs: null }]);
    return listed === 0;
  });
  expect(await found.all('runs')).toHaveLength(3);
});

test('what Temporal refuses to delete is not waited for, and counts as what remains until its retention', async () => {
  const [scope, found] = [await endedRuns(3), new Notes()];
  const client = new Client({ connection: refused });
  const begunAtMs = Date.now();
  const { pending, left } = await deleteHistories(client, scope, found);
  expect([pending, left.count]).toEqual([0, 3]);
  // The retention of the test server's namespace is a day.
  expect(left.untilMs).toBeGreaterThan(begunAtMs - 60_000 + DAY_MS);
  expect(left.untilMs).toBeLessThanOrEqual(Date.now() + DAY_MS);
  expect(await found.all('runs')).toEqual([]);
  // Another pass, as after a crash, says the same.
  expect((await deleteHistories(client, scope, found)).left).toEqual(left);
});
