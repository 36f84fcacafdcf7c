import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { promptContentSchema, promptReferenceSchema } from '../../../contracts/prompts.ts';
import { chooseArm } from '../../../engine/prompts/choose-arm.ts';
import { RedisPromptRegistry } from '../../../engine/prompts/redis-prompt-registry.ts';
import type { PromptRegistry } from '../../../engine/prompts/registry.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

let server: TestRedis;
let redis: RedisConnection;
let registry: PromptRegistry;
let tenant: string;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(() => {
  tenant = `tenant {${randomUUID()}}`;
  registry = new RedisPromptRegistry(redis);
});

const content = (system: string) => promptContentSchema.parse({ system });
const reference = (fields: object) => promptReferenceSchema.parse({ name: 'support', ...fields });
const anyone = { user: 'ann', generationId: 'gen_1' };

describe('versions', () => {
  test('count from 1, and the same content is the same version, also when it comes from many at once', async () => {
    const add = (text: string) => registry.addVersion(tenant, 'support', content(text), 'key_1');
    expect(await add('one')).toEqual({ version: 1, created: true });
    const twins = await Promise.all(Array.from({ length: 20 }, () => add('two')));
    expect(twins.map(({ version }) => version)).toEqual(twins.map(() => 2));
    expect(twins.filter(({ created }) => created)).toHaveLength(1);
    expect(await add('one')).toEqual({ version: 1, created: false });
    expect((await registry.read(tenant, 'support')).latest).toBe(2);
  });

  test('never change: another process reads what was written first', async () => {
    await registry.addVersion(tenant, 'support', content('one'), 'key_1');
    const other = new RedisPromptRegistry(await server.connect());
    expect(await other.readVersion(tenant, 'support', 1)).toMatchObject({
      name: 'support',
      version: 1,
      createdBy: 'key_1',
      content: { system: 'one' },
    });
    await redis.hSet(REDIS_KEYS.prompt(tenant, 'support', 'versions'), 'latest', '1');
    await other.addVersion(tenant, 'support', content('two'), 'key_1');
    expect((await other.readVersion(tenant, 'support', 1)).content.system).toBe('one');
  });

  test('of another tenant do not exist', async () => {
    await registry.addVersion(tenant, 'support', content('one'), 'key_1');
    await expect(registry.read('other', 'support')).rejects.toMatchObject({ code: 'prompt_not_found' });
    expect(await registry.list('other')).toEqual([]);
    expect(await registry.list(tenant)).toEqual([{ name: 'support', latest: 1, labels: {} }]);
  });
});

describe('labels', () => {
  beforeEach(async () => {
    for (const text of ['one', 'two', 'three']) {
      await registry.addVersion(tenant, 'support', content(text), 'key_1');
    }
  });

  test('move, and a request follows them; a version that it names stays', async () => {
    await registry.setLabel(tenant, 'support', 'production', { version: 1 });
    expect(await registry.resolve(tenant, reference({}), anyone)).toMatchObject({
      version: 1,
      label: 'production',
    });
    await registry.setLabel(tenant, 'support', 'production', { version: 3 });
    expect((await registry.resolve(tenant, reference({}), anyone)).version).toBe(3);
    expect((await registry.resolve(tenant, reference({ version: 2 }), anyone)).version).toBe(2);
    expect((await registry.resolve(tenant, reference({ label: 'latest' }), anyone)).version).toBe(3);
    await registry.removeLabel(tenant, 'support', 'production');
    await expect(registry.resolve(tenant, reference({}), anyone)).rejects.toMatchObject({
      code: 'prompt_not_found',
      message: expect.stringContaining('latest and 3 versions'),
    });
  });

  test('cannot point to a version that does not exist', async () => {
    const arms = {
      arms: [
        { version: 1, weight: 1 },
        { version: 9, weight: 1 },
      ],
      by: 'user' as const,
    };
    await expect(registry.setLabel(tenant, 'support', 'x', arms)).rejects.toThrow('no version 9');
    expect((await registry.read(tenant, 'support')).labels).toEqual({});
  });

  test('with arms give a user the same version every time', async () => {
    const arms = [
      { version: 1, weight: 1 },
      { version: 2, weight: 1 },
    ];
    await registry.setLabel(tenant, 'support', 'production', { arms, by: 'user' });
    const ask = async (user: string, generationId: string) =>
      (await registry.resolve(tenant, reference({}), { user, generationId })).version;
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    const first = await Promise.all(users.map((user) => ask(user, 'gen_1')));
    expect(await Promise.all(users.map((user) => ask(user, 'gen_2')))).toEqual(first);
    expect(new Set(first)).toEqual(new Set([1, 2]));
  });
});

describe('an arm', () => {
  const shareOf = (weights: readonly number[], by: 'user' | 'generation') => {
    const arms = weights.map((weight, index) => ({ version: index + 1, weight }));
    const chosen = Array.from({ length: 20_000 }, (_, index) =>
      chooseArm({ arms, by }, 'salt', { user: `u${index}`, generationId: `g${index}` }),
    );
    return weights.map(
      (_, index) => chosen.filter((version) => version === index + 1).length / chosen.length,
    );
  };

  test('gets its weight of users and of generations', () => {
    for (const by of ['user', 'generation'] as const) {
      const [a = 0, b = 0, c = 0] = shareOf([90, 9, 1], by);
      expect(a).toBeCloseTo(0.9, 1.5);
      expect(b).toBeCloseTo(0.09, 1.5);
      expect(c).toBeGreaterThan(0.005);
      expect(c).toBeLessThan(0.015);
    }
  });

  test('keeps its users when its weight grows', () => {
    const target = (last: number) => ({
      arms: [
        { version: 1, weight: 100 - last },
        { version: 2, weight: last },
      ],
      by: 'user' as const,
    });
    for (let index = 0; index < 2_000; index += 1) {
      const unit = { user: `u${index}`, generationId: '' };
      if (chooseArm(target(10), 's', unit) === 2) expect(chooseArm(target(30), 's', unit)).toBe(2);
    }
  });
});
