/** Pipelines in Redis: their versions and their labels. */
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
import { RedisVersions, type VersionsRedis } from '../versions/redis-versions.ts';

interface PipelineRedis extends VersionsRedis {
  hSet(key: string, field: string, value: string): Promise<unknown>;
  hLen(key: string): Promise<number>;
}

/** All methods throw `pipeline_not_found` if the pipeline, version or label does not exist. */
export class RedisPipelineRegistry {
  readonly #redis: PipelineRedis;
  readonly #stored: RedisVersions<PipelineContent>;

  constructor(redis: PipelineRedis) {
    this.#redis = redis;
    this.#stored = new RedisVersions(redis, {
      noun: 'pipeline',
      content: pipelineContentSchema,
      mostPerTenant: LIMITS.pipelinesPerTenant,
      mostVersions: LIMITS.versionsPerPipeline,
      mostLabels: LIMITS.labelsPerPipeline,
      namesKey: REDIS_KEYS.pipelineNames,
      key: REDIS_KEYS.pipeline,
    });
  }

  /** Known content returns its existing version. */
  addVersion(
    tenant: string,
    name: string,
    content: PipelineContent,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }> {
    return this.#stored.add(tenant, name, content, createdBy);
  }

  list(tenant: string): Promise<PipelineView[]> {
    return this.#stored.list(tenant, (name) => this.read(tenant, name));
  }

  async read(tenant: string, name: string): Promise<PipelineView> {
    const { latest, labels: stored } = await this.#stored.labelsOf(tenant, name);
    const labels = Object.entries(stored).map(([label, version]) => [label, { version: Number(version) }]);
    return { name, latest, labels: Object.fromEntries(labels) };
  }

  async readVersion(tenant: string, name: string, version: number): Promise<PipelineVersionView> {
    return (await this.#stored.read(tenant, name, version)).view;
  }

  async setLabel(tenant: string, name: string, label: string, version: number): Promise<void> {
    await this.readVersion(tenant, name, version);
    const key = REDIS_KEYS.pipeline(tenant, name, 'labels');
    const isKnown = (await this.#redis.hGet(key, label)) !== null;
    if (!isKnown && (await this.#redis.hLen(key)) >= LIMITS.labelsPerPipeline) {
      throw this.#stored.tooManyLabels();
    }
    await this.#redis.hSet(key, label, String(version));
  }

  removeLabel(tenant: string, name: string, label: string): Promise<void> {
    return this.#stored.removeLabel(tenant, name, label);
  }

  /** Without version and label: "production". */
  async resolve(tenant: string, reference: PipelineReference): Promise<PipelineVersionView> {
    const { name, version, label = DEFAULT_LABEL } = reference;
    if (version !== undefined) return this.readVersion(tenant, name, version);
    const latest = await this.#stored.latestOf(tenant, name);
    if (label === NEWEST) return this.readVersion(tenant, name, latest);
    return this.readVersion(tenant, name, Number(await this.#stored.labelled(tenant, name, label)));
  }
}
