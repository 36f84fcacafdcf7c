import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ArchiveStand } from './archive-stand.ts';

let stand: ArchiveStand;
beforeAll(async () => {
  stand = await ArchiveStand.start();
});
afterAll(() => stand?.stop());

/** No write that takes memory is accepted; a Redis that keeps all keys gets out of this only by what is deleted. */
async function fill(): Promise<void> {
  await stand.redis.configSet('maxmemory', '1');
  await expect(stand.redis.set('ub:test', '1')).rejects.toThrow('OOM');
}
afterEach(() => stand.redis.configSet('maxmemory', '0'));

test('a Redis without memory gives its ended logs to the archive', async () => {
  const ids = [await stand.endedLog(), await stand.endedLog({ isUnique: false })];
  const { log, archiver, errors } = stand.process();
  await fill();
  expect(await archiver.sweep()).toBe(ids.length);
  expect([errors, await stand.countDue()]).toEqual([[], 0]);
  for (const id of ids) expect(await log.read(id, -1)).toHaveLength(32);
});

test.each(['in it', 'in the archive'])('a log that is %s can be deleted while it has none', async (place) => {
  const generationId = await stand.endedLog({ isUnique: false });
  const { log, archiver } = stand.process();
  if (place === 'in the archive') await archiver.sweep();
  await fill();
  await log.withhold(generationId);
  await log.erase(generationId);
  expect(await log.read(generationId, -1)).toEqual([]);
  expect(await log.head(generationId)).toMatchObject({ erased: true });
});
