/** When a process loses its runs to others, and when it must not: on one Redis and on a cluster. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type LeaseStand, soon } from './lease-stand.ts';

export function testLeases(where: string, stand: LeaseStand): void {
  describe(`leases in ${where}`, () => {
    beforeEach(() => stand.begin());
    afterEach(() => stand.end());
    describe('a process that renews no more', () => testDead(stand));
    describe('a process whose reply is lost', () => testLostReplies(stand));
    describe('a process that lives', () => testLiving(stand));
  });
}

function testDead(stand: LeaseStand): void {
  test('loses its runs to exactly one of the others, which records them as its own', async () => {
    const [dead, ...others] = await stand.start('dead', 'b', 'c', 'd');
    const runs = [dead.runOf(1), dead.runOf(2)];
    for (const run of runs) dead.keeper.put(run);
    await dead.renewed(2);
    dead.isDead = true;
    await soon('its runs to be taken', () => others.some(({ taken }) => taken.length > 0));
    await Promise.all(others.map((process) => process.renewed(6)));
    expect(others.flatMap(({ taken }) => taken)).toEqual(expect.arrayContaining(runs));
    expect(others.flatMap(({ taken }) => taken)).toHaveLength(runs.length);
    const heir = others.find(({ taken }) => taken.length > 0);
    expect(Object.keys(await stand.recordedOf(heir?.name ?? ''))).toHaveLength(runs.length);
    expect(await stand.recordedOf('dead')).toEqual({});
  });

  test('passes on also what it had taken over and not finished', async () => {
    const [first, heir] = await stand.start('first', 'heir');
    first.keeper.put(first.runOf(1), { isUrgent: true });
    await first.renewed(2);
    first.isDead = true;
    await soon('the first heir', () => heir.taken.length === 1);
    const [last] = await stand.start('last');
    heir.isDead = true;
    await soon('the second heir', () => last.taken.length === 1);
    expect(last.taken).toEqual([first.runOf(1)]);
    last.keeper.drop(first.runOf(1));
    await last.renewed(2);
    expect(await stand.recordedOf('last')).toEqual({});
  });

  test('records its runs again when it comes back', async () => {
    const [paused, other] = await stand.start('paused', 'other');
    const run = paused.runOf(1);
    paused.keeper.put(run);
    await paused.renewed(2);
    paused.isDead = true;
    await soon('its run to be taken', () => other.taken.length === 1);
    paused.isDead = false;
    await soon(
      'its run to be recorded',
      async () => Object.keys(await stand.recordedOf('paused')).length === 1,
    );
  });
}

function testLostReplies(stand: LeaseStand): void {
  test('hands on what it has taken over, although the list never arrived', async () => {
    const [dead, heir] = await stand.start('dead', 'heir');
    const runs = [dead.runOf(1), dead.runOf(2)];
    for (const run of runs) dead.keeper.put(run);
    heir.keeper.put(heir.runOf(3));
    await Promise.all([dead.renewed(2), heir.renewed(2)]);
    heir.loses = 'takeOver';
    dead.isDead = true;
    await soon('its runs to be taken', () => heir.taken.length > 0);
    expect(heir.loses).toBeNull();
    await heir.renewed(3);
    expect(heir.taken.toSorted((a, b) => (a.runId < b.runId ? -1 : 1))).toEqual(runs);
  });

  test('records its runs again when it comes back, although it never learned that they were gone', async () => {
    const [paused, other] = await stand.start('paused', 'other');
    paused.keeper.put(paused.runOf(1));
    await paused.renewed(2);
    paused.isDead = true;
    await soon('its run to be taken', () => other.taken.length === 1);
    paused.loses = 'renew';
    paused.isDead = false;
    await soon(
      'its run to be recorded',
      async () => Object.keys(await stand.recordedOf('paused')).length === 1,
    );
    expect(paused.loses).toBeNull();
  });
}

function testLiving(stand: LeaseStand): void {
  test('keeps its runs, and one that leaves without any is not missed', async () => {
    const [a, b] = await stand.start('a', 'b');
    a.keeper.put(a.runOf(1));
    await Promise.all([a.renewed(15), b.renewed(15)]);
    expect(b.taken).toEqual([]);
    a.keeper.drop(a.runOf(1));
    await a.renewed(2);
    await a.keeper.stop();
    await b.renewed(8);
    expect(b.taken).toEqual([]);
    expect(await stand.renewedAtMs('a')).toBeNull();
  });
}
