/** A worker that dies at any moment of archiving: no reader sees a gap, and nothing is lost or doubled. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { END } from '../streaming/log-stand.ts';
import { ArchiveStand } from './archive-stand.ts';
import { MortalProcess } from './mortal-process.ts';

/** More than the steps of a sweep over some logs. */
const MOST_STEPS = 400;
const LOGS = 3;

let stand: ArchiveStand;
beforeAll(async () => {
  stand = await ArchiveStand.start();
});
afterAll(() => stand?.stop());

test.each([
  ['after a call was carried out', true],
  ['before a call is carried out', false],
])('every event stays readable, once, wherever a worker dies %s', async (_, isLastDone) => {
  const reader = stand.process().log;
  let deaths = 0;
  for (let steps = 1; steps <= MOST_STEPS; steps += 1) {
    const ids: string[] = [];
    for (let index = 0; index < LOGS; index += 1) {
      const content = index === 0 ? 'x'.repeat(50_000) : 'short';
      const input = { messages: [{ role: 'user' as const, content }], maxOutputTokens: 10 };
      ids.push(await stand.endedLog({ input, isUnique: index !== 2 }, END, 4));
    }
    const before = await Promise.all(ids.map((id) => reader.read(id, -1)));
    const mortal = new MortalProcess(steps, isLastDone);
    const { archiver } = stand.process({ redis: mortal.wrap(stand.redis), store: mortal.wrap(stand.store) });
    const isWhole = await Promise.race([archiver.sweep().then(() => true), mortal.died.then(() => false)]);
    for (const log of [reader, stand.process().log]) {
      expect(await Promise.all(ids.map((id) => log.read(id, -1)))).toEqual(before);
    }
    await stand.endClaims();
    await stand.process().archiver.sweep();
    const { log } = stand.process();
    expect(await Promise.all(ids.map((id) => log.read(id, -1)))).toEqual(before);
    expect(await Promise.all(ids.map(async (id) => (await log.readInput(id)) === null))).toEqual(
      ids.map(() => false),
    );
    const objects = await stand.objectKeys('logs/');
    expect(objects.filter((key) => ids.some((id) => key.endsWith(id)))).toHaveLength(LOGS);
    expect(await stand.countDue()).toBe(0);
    if (isWhole) {
      expect(deaths).toBeGreaterThan(20);
      return;
    }
    deaths += 1;
  }
  throw new Error(`A sweep takes more than ${MOST_STEPS} steps.`);
});
