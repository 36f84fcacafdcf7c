/** Pipelines in Redis: their versions, each under its number and under the hash of its content, and their labels. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  type PipelineContent,
  type PipelineReference,
  type PipelineVersionView,
  type PipelineView,
  pipelineContentSchema,
} from '../../contracts/pipelines.ts';
import { DEFAULT_LABEL, NEWEST } from '../../contracts/prompts.ts';
import { askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';

/** KEYS versions. ARGV[2] the version. -> {'known' | 'created' | 'full', number} */
const ADD_VERSION = script(`
local ask = cjson.decode(ARGV[1])
local known = redis.call('HGET', KEYS[1], 'hash:' .. ask.hash)
if known then return {'known', known} end
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
if latest >= ${LIMITS.versionsPerPipeline} then return {'full', latest} end
local number = string.format('%.0f', latest + 1)
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'latest', number, 'hash:' .. ask.hash, number, 'v:' .. number, ARGV[2], 'at:' .. number, at)
return {'created', number}
`);

const storedSchema = z.object({ content: pipelineContentSchema, createdBy: z.string() });

interface PipelineRedis extends ScriptRedis {
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  hSet(key: string, field: string, value: string): Promise<unknown>;
  hLen(key: string): Promise<number>;
  hDel(key: string, field: string): Promise<unknown>;
  sAdd(key: string, member: string): Promise<unknown>;
  sMembers(key: string): Promise<string[]>;
  sIsMember(key: string, member: string): Promise<number>;
  sCard(key: string): Promise<number>;
}

/** All methods throw `pipeline_not_found` if the pipeline, version or label does not exist. */
export class RedisPipelineRegistry {
  readonly #redis: PipelineRedis;

  constructor(redis: PipelineRedis) {
    this.#redis = redis;
  }

  /** Known content returns its existing version. */
  async addVersion(
    tenant: string,
    name: string,
    content: PipelineContent,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }> {
    const index = REDIS_KEYS.pipelineNames(tenant);
    const [isKnown, count] = await Promise.all([
      this.#redis.sIsMember(index, name),
      this.#redis.sCard(index),
    ]);
    if (!isKnown && count >= LIMITS.pipelinesPerTenant)
      throw atMost('A tenant', LIMITS.pipelinesPerTenant, 'pipelines');
    await this.#redis.sAdd(index, name);
    const [outcome, number] = await askScriptForTexts(this.#redis, ADD_VERSION, {
      keys: [versionsKey(tenant, name)],
      ask: { hash: createHash('sha256').update(JSON.stringify(content)).digest('hex') },
      texts: [JSON.stringify({ content, createdBy })],
    });
    if (outcome === 'full') throw atMost('A pipeline', LIMITS.versionsPerPipeline, 'versions');
    return { version: Number(number), created: outcome === 'created' };
  }

  async list(tenant: string): Promise<PipelineView[]> {
    const names = (await this.#redis.sMembers(REDIS_KEYS.pipelineNames(tenant))).sort();
    const views = await Promise.all(
      names.map(async (name) => {
        const latest = await this.#redis.hGet(versionsKey(tenant, name), 'latest');
        // The name comes before its first version.
        return latest === null ? null : this.read(tenant, name);
      }),
    );
    return views.filter((view) => view !== null);
  }

  async read(tenant: string, name: string): Promise<PipelineView> {
    const [latest, stored] = await Promise.all([
      this.#latestOf(tenant, name),
      this.#redis.hGetAll(labelsKey(tenant, name)),
    ]);
    const labels = Object.entries(stored).map(([label, version]) => [label, { version: Number(version) }]);
    return { name, latest, labels: Object.fromEntries(labels) };
  }

  async readVersion(tenant: string, name: string, version: number): Promise<PipelineVersionView> {
    const [stored, at] = await this.#redis.hmGet(versionsKey(tenant, name), [
      `v:${version}`,
      `at:${version}`,
    ]);
    if (stored === undefined || stored === null) {
      throw notFound(`There is no version ${version} of the pipeline "${name}".`);
    }
    const { content, createdBy } = storedSchema.parse(JSON.parse(stored));
    return { name, version, createdAt: Number(at), createdBy, content };
  }

  async setLabel(tenant: string, name: string, label: string, version: number): Promise<void> {
    await this.readVersion(tenant, name, version);
    const key = labelsKey(tenant, name);
    const isKnown = (await this.#redis.hGet(key, label)) !== null;
    if (!isKnown && (await this.#redis.hLen(key)) >= LIMITS.labelsPerPipeline) {
      throw atMost('A pipeline', LIMITS.labelsPerPipeline, 'labels');
    }
    await this.#redis.hSet(key, label, String(version));
  }

  async removeLabel(tenant: string, name: string, label: string): Promise<void> {
    await this.#latestOf(tenant, name);
    await this.#redis.hDel(labelsKey(tenant, name), label);
  }

  /** Without version and label: "production". */
  async resolve(tenant: string, reference: PipelineReference): Promise<PipelineVersionView> {
    const { name, version, label = DEFAULT_LABEL } = reference;
    if (version !== undefined) return this.readVersion(tenant, name, version);
    const latest = await this.#latestOf(tenant, name);
    if (label === NEWEST) return this.readVersion(tenant, name, latest);
    const labelled = await this.#redis.hGet(labelsKey(tenant, name), label);
    if (labelled !== null) return this.readVersion(tenant, name, Number(labelled));
    const { labels } = await this.read(tenant, name);
    const known = [...Object.keys(labels), NEWEST].join(', ');
    throw notFound(`The pipeline "${name}" has no label "${label}"; it has ${known} and ${latest} versions.`);
  }

  async #latestOf(tenant: string, name: string): Promise<number> {
    const latest = Number((await this.#redis.hGet(versionsKey(tenant, name), 'latest')) ?? 0);
    if (latest === 0) throw notFound(`There is no pipeline "${name}".`);
    return latest;
  }
}

function versionsKey(tenant: string, name: string): string {
  return REDIS_KEYS.pipeline(tenant, name, 'versions');
}

function labelsKey(tenant: string, name: string): string {
  return REDIS_KEYS.pipeline(tenant, name, 'labels');
}

function notFound(message: string): UnbrokenError {
  return new UnbrokenError('pipeline_not_found', message);
}

function atMost(what: string, most: number, things: string): UnbrokenError {
  return new UnbrokenError('invalid_request', `${what} has at most ${most} ${things}.`);
}
