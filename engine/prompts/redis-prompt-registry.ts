/**
 * Prompts in Redis, durable by its append-only file. A prompt is two hashes of one hash tag: the versions, each under
 * its number and under the hash of its content, and the labels. A version is written once, by one script.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  DEFAULT_LABEL,
  labelTargetSchema,
  NEWEST,
  type PromptVersionView,
  type PromptView,
  promptContentSchema,
} from '../../contracts/prompts.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { script } from '../../platform/redis/lua-script.ts';
import { chooseArm } from './choose-arm.ts';
import { type PromptRedis, run } from './redis-scripts.ts';
import type { PromptRegistry } from './registry.ts';

/** Versions never change, so a process may keep those that it has read. */
const KEPT_VERSIONS = 1_000;
const KEPT_CHARS = 64 * 1024;

/** KEYS versions. ARGV hash of the content, version, most versions. -> {'known' | 'created' | 'full', number} */
const ADD_VERSION = script(`
local known = redis.call('HGET', KEYS[1], 'hash:' .. ARGV[1])
if known then return {'known', known} end
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
if latest >= tonumber(ARGV[3]) then return {'full', latest} end
local number = string.format('%.0f', latest + 1)
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'latest', number, 'hash:' .. ARGV[1], number, 'v:' .. number, ARGV[2], 'at:' .. number, at)
return {'created', number}
`);

/** KEYS versions, labels. ARGV label, target, most labels, then the versions of the target. -> {'set' | 'full'} or {'unknown', number} */
const SET_LABEL = script(`
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
for i = 4, #ARGV do
  if tonumber(ARGV[i]) > latest then return {'unknown', ARGV[i]} end
end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[3]) then
  return {'full'}
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return {'set'}
`);

const storedVersionSchema = z.object({ content: promptContentSchema, createdBy: z.string() });

export function createRedisPromptRegistry(redis: PromptRedis): PromptRegistry {
  const kept = new BoundedMap<string, PromptVersionView>(KEPT_VERSIONS);
  const versionsKey = (tenant: string, name: string) => REDIS_KEYS.prompt(tenant, name, 'versions');
  const labelsKey = (tenant: string, name: string) => REDIS_KEYS.prompt(tenant, name, 'labels');

  const latestOf = async (tenant: string, name: string): Promise<number> => {
    const latest = Number((await redis.hGet(versionsKey(tenant, name), 'latest')) ?? 0);
    if (latest === 0) throw notFound(`There is no prompt "${name}".`);
    return latest;
  };

  const view = async (tenant: string, name: string): Promise<PromptView> => {
    const [latest, stored] = await Promise.all([
      latestOf(tenant, name),
      redis.hGetAll(labelsKey(tenant, name)),
    ]);
    const labels = Object.entries(stored).map(([label, target]) => [label, targetOf(target)] as const);
    return { name, latest, labels: Object.fromEntries(labels) };
  };

  const readVersion = async (tenant: string, name: string, version: number): Promise<PromptVersionView> => {
    const key = `${versionsKey(tenant, name)}/${version}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const [stored, at] = await redis.hmGet(versionsKey(tenant, name), [`v:${version}`, `at:${version}`]);
    if (stored === undefined || stored === null) {
      throw notFound(`There is no version ${version} of the prompt "${name}".`);
    }
    const { content, createdBy } = storedVersionSchema.parse(JSON.parse(stored));
    const found = { name, version, createdAt: Number(at), createdBy, content };
    if (stored.length <= KEPT_CHARS) kept.set(key, found);
    return found;
  };

  return {
    readVersion,
    read: view,

    async addVersion(tenant, name, content, createdBy) {
      const index = REDIS_KEYS.promptNames(tenant);
      const [isKnown, count] = await Promise.all([redis.sIsMember(index, name), redis.sCard(index)]);
      if (!isKnown && count >= LIMITS.promptsPerTenant) {
        throw new UnbrokenError(
          'invalid_request',
          `A tenant has at most ${LIMITS.promptsPerTenant} prompts.`,
        );
      }
      // The index lies under another hash tag. A name without a version is not shown, so it may come first.
      await redis.sAdd(index, name);
      const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
      const stored = JSON.stringify({ content, createdBy });
      const [outcome, number] = await run(
        redis,
        ADD_VERSION,
        [versionsKey(tenant, name)],
        [hash, stored, LIMITS.versionsPerPrompt],
      );
      if (outcome === 'full') {
        throw new UnbrokenError(
          'invalid_request',
          `A prompt has at most ${LIMITS.versionsPerPrompt} versions.`,
        );
      }
      return { version: Number(number), created: outcome === 'created' };
    },

    async list(tenant) {
      const names = (await redis.sMembers(REDIS_KEYS.promptNames(tenant))).sort();
      const found = await Promise.all(
        names.map((name) =>
          view(tenant, name).catch((error: unknown) => {
            if (error instanceof UnbrokenError && error.code === 'prompt_not_found') return null;
            throw error;
          }),
        ),
      );
      return found.filter((prompt) => prompt !== null);
    },

    async setLabel(tenant, name, label, target) {
      await latestOf(tenant, name);
      const versions = 'version' in target ? [target.version] : target.arms.map((arm) => arm.version);
      const keys = [versionsKey(tenant, name), labelsKey(tenant, name)];
      const [outcome, unknown] = await run(redis, SET_LABEL, keys, [
        label,
        JSON.stringify(target),
        LIMITS.labelsPerPrompt,
        ...versions,
      ]);
      if (outcome === 'unknown') throw notFound(`There is no version ${unknown} of the prompt "${name}".`);
      if (outcome === 'full') {
        throw new UnbrokenError('invalid_request', `A prompt has at most ${LIMITS.labelsPerPrompt} labels.`);
      }
    },

    async removeLabel(tenant, name, label) {
      await latestOf(tenant, name);
      await redis.hDel(labelsKey(tenant, name), label);
    },

    async resolve(tenant, { name, version, label = DEFAULT_LABEL }, unit) {
      if (version !== undefined) return { ...(await readVersion(tenant, name, version)), label: null };
      if (label === NEWEST) {
        return { ...(await readVersion(tenant, name, await latestOf(tenant, name))), label };
      }
      const stored = await redis.hGet(labelsKey(tenant, name), label);
      if (stored === null) {
        const { labels, latest } = await view(tenant, name);
        const known = [...Object.keys(labels), NEWEST].join(', ');
        throw notFound(
          `The prompt "${name}" has no label "${label}"; it has ${known} and ${latest} versions.`,
        );
      }
      const chosen = chooseArm(targetOf(stored), `${tenant}/${name}/${label}`, unit);
      return { ...(await readVersion(tenant, name, chosen)), label };
    },
  };
}

function targetOf(stored: string) {
  return labelTargetSchema.parse(JSON.parse(stored));
}

function notFound(message: string): UnbrokenError {
  return new UnbrokenError('prompt_not_found', message);
}
