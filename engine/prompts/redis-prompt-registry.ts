/**
 * Prompts in Redis, durable by its append-only file. A prompt is two hashes of one hash tag: its versions, each under
 * its number and under the hash of its content, and its labels. One script writes a version once.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  DEFAULT_LABEL,
  type LabelTarget,
  labelTargetSchema,
  NEWEST,
  type PromptContent,
  type PromptReference,
  type PromptVersionView,
  type PromptView,
  promptContentSchema,
} from '../../contracts/prompts.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { askScriptForTexts, script } from '../../platform/redis/lua-script.ts';
import { type ArmUnit, chooseArm } from './choose-arm.ts';
import type { PromptRedis } from './prompt-redis.ts';
import type { PromptRegistry, ResolvedPrompt } from './registry.ts';

/** Versions never change, so a process may keep the ones that it has read. */
const KEPT_VERSIONS = 1_000;
const KEPT_CHARS = 64 * 1024;

/** KEYS versions. ARGV[2] the version. -> {'known' | 'created' | 'full', number} */
const ADD_VERSION = script(`
local ask = cjson.decode(ARGV[1])
local known = redis.call('HGET', KEYS[1], 'hash:' .. ask.hash)
if known then return {'known', known} end
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
if latest >= ${LIMITS.versionsPerPrompt} then return {'full', latest} end
local number = string.format('%.0f', latest + 1)
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'latest', number, 'hash:' .. ask.hash, number, 'v:' .. number, ARGV[2], 'at:' .. number, at)
return {'created', number}
`);

/** KEYS versions, labels. `ask.versions` are those of the target. -> {'set' | 'full'} or {'unknown', version} */
const SET_LABEL = script(`
local ask = cjson.decode(ARGV[1])
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
for _, version in ipairs(ask.versions) do
  if version > latest then return {'unknown', version} end
end
if redis.call('HEXISTS', KEYS[2], ask.label) == 0
  and redis.call('HLEN', KEYS[2]) >= ${LIMITS.labelsPerPrompt} then
  return {'full'}
end
redis.call('HSET', KEYS[2], ask.label, ask.target)
return {'set'}
`);

const storedVersionSchema = z.object({ content: promptContentSchema, createdBy: z.string() });

export class RedisPromptRegistry implements PromptRegistry {
  readonly #redis: PromptRedis;
  readonly #versions = new BoundedMap<string, PromptVersionView>(KEPT_VERSIONS);

  constructor(redis: PromptRedis) {
    this.#redis = redis;
  }

  async addVersion(
    tenant: string,
    name: string,
    content: PromptContent,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }> {
    const index = REDIS_KEYS.promptNames(tenant);
    const [isKnown, count] = await Promise.all([
      this.#redis.sIsMember(index, name),
      this.#redis.sCard(index),
    ]);
    if (!isKnown && count >= LIMITS.promptsPerTenant) {
      throw new UnbrokenError('invalid_request', `A tenant has at most ${LIMITS.promptsPerTenant} prompts.`);
    }
    // The index has another hash tag, so it cannot be in the script. A name without a version is not shown, so it may
    // come first.
    await this.#redis.sAdd(index, name);
    const [outcome, number] = await askScriptForTexts(this.#redis, ADD_VERSION, {
      keys: [versionsKey(tenant, name)],
      ask: { hash: createHash('sha256').update(JSON.stringify(content)).digest('hex') },
      texts: [JSON.stringify({ content, createdBy })],
    });
    if (outcome === 'full') {
      throw new UnbrokenError(
        'invalid_request',
        `A prompt has at most ${LIMITS.versionsPerPrompt} versions.`,
      );
    }
    return { version: Number(number), created: outcome === 'created' };
  }

  async list(tenant: string): Promise<PromptView[]> {
    const names = (await this.#redis.sMembers(REDIS_KEYS.promptNames(tenant))).sort();
    const prompts = await Promise.all(
      names.map((name) =>
        this.read(tenant, name).catch((error: unknown) => {
          if (error instanceof UnbrokenError && error.code === 'prompt_not_found') return null;
          throw error;
        }),
      ),
    );
    return prompts.filter((prompt) => prompt !== null);
  }

  async read(tenant: string, name: string): Promise<PromptView> {
    const [latest, stored] = await Promise.all([
      this.#latestOf(tenant, name),
      this.#redis.hGetAll(labelsKey(tenant, name)),
    ]);
    const labels = Object.entries(stored).map(([label, target]) => [label, parseTarget(target)] as const);
    return { name, latest, labels: Object.fromEntries(labels) };
  }

  async readVersion(tenant: string, name: string, version: number): Promise<PromptVersionView> {
    const versions = versionsKey(tenant, name);
    const kept = this.#versions.get(`${versions}/${version}`);
    if (kept !== undefined) return kept;
    const [stored, at] = await this.#redis.hmGet(versions, [`v:${version}`, `at:${version}`]);
    if (stored === undefined || stored === null) {
      throw promptNotFound(`There is no version ${version} of the prompt "${name}".`);
    }
    const { content, createdBy } = storedVersionSchema.parse(JSON.parse(stored));
    const view = { name, version, createdAt: Number(at), createdBy, content };
    if (stored.length <= KEPT_CHARS) this.#versions.set(`${versions}/${version}`, view);
    return view;
  }

  async setLabel(tenant: string, name: string, label: string, target: LabelTarget): Promise<void> {
    await this.#latestOf(tenant, name);
    const versions = 'version' in target ? [target.version] : target.arms.map(({ version }) => version);
    const [outcome, unknown] = await askScriptForTexts(this.#redis, SET_LABEL, {
      keys: [versionsKey(tenant, name), labelsKey(tenant, name)],
      ask: { label, target: JSON.stringify(target), versions },
    });
    if (outcome === 'unknown') {
      throw promptNotFound(`There is no version ${unknown} of the prompt "${name}".`);
    }
    if (outcome === 'full') {
      throw new UnbrokenError('invalid_request', `A prompt has at most ${LIMITS.labelsPerPrompt} labels.`);
    }
  }

  async removeLabel(tenant: string, name: string, label: string): Promise<void> {
    await this.#latestOf(tenant, name);
    await this.#redis.hDel(labelsKey(tenant, name), label);
  }

  async resolve(
    tenant: string,
    { name, version, label = DEFAULT_LABEL }: PromptReference,
    unit: ArmUnit,
  ): Promise<ResolvedPrompt> {
    if (version !== undefined) return { ...(await this.readVersion(tenant, name, version)), label: null };
    if (label === NEWEST) {
      const latest = await this.#latestOf(tenant, name);
      return { ...(await this.readVersion(tenant, name, latest)), label };
    }
    const stored = await this.#redis.hGet(labelsKey(tenant, name), label);
    if (stored === null) {
      const { labels, latest } = await this.read(tenant, name);
      const known = [...Object.keys(labels), NEWEST].join(', ');
      throw promptNotFound(
        `The prompt "${name}" has no label "${label}"; it has ${known} and ${latest} versions.`,
      );
    }
    const chosen = chooseArm(parseTarget(stored), `${tenant}/${name}/${label}`, unit);
    return { ...(await this.readVersion(tenant, name, chosen)), label };
  }

  async #latestOf(tenant: string, name: string): Promise<number> {
    const latest = Number((await this.#redis.hGet(versionsKey(tenant, name), 'latest')) ?? 0);
    if (latest === 0) throw promptNotFound(`There is no prompt "${name}".`);
    return latest;
  }
}

function versionsKey(tenant: string, name: string): string {
  return REDIS_KEYS.prompt(tenant, name, 'versions');
}

function labelsKey(tenant: string, name: string): string {
  return REDIS_KEYS.prompt(tenant, name, 'labels');
}

function parseTarget(stored: string): LabelTarget {
  return labelTargetSchema.parse(JSON.parse(stored));
}

function promptNotFound(message: string): UnbrokenError {
  return new UnbrokenError('prompt_not_found', message);
}
