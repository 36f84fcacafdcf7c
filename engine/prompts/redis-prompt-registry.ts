/** Prompts in Redis: versions that a process may keep, and labels that may share requests among several versions. */
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
import { RedisVersions } from '../versions/redis-versions.ts';
import { type ArmUnit, chooseArm } from './choose-arm.ts';
import type { PromptRedis } from './prompt-redis.ts';
import type { PromptRegistry, ResolvedPrompt } from './registry.ts';

/** Versions never change, so a process may keep the ones that it has read. */
const KEPT_VERSIONS = 1_000;
const KEPT_CHARS = 64 * 1024;

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

export class RedisPromptRegistry implements PromptRegistry {
  readonly #redis: PromptRedis;
  readonly #stored: RedisVersions<PromptContent>;
  readonly #versions = new BoundedMap<string, PromptVersionView>(KEPT_VERSIONS);

  constructor(redis: PromptRedis) {
    this.#redis = redis;
    this.#stored = new RedisVersions(redis, {
      noun: 'prompt',
      content: promptContentSchema,
      mostPerTenant: LIMITS.promptsPerTenant,
      mostVersions: LIMITS.versionsPerPrompt,
      mostLabels: LIMITS.labelsPerPrompt,
      namesKey: REDIS_KEYS.promptNames,
      key: REDIS_KEYS.prompt,
    });
  }

  addVersion(
    tenant: string,
    name: string,
    content: PromptContent,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }> {
    return this.#stored.add(tenant, name, content, createdBy);
  }

  list(tenant: string): Promise<PromptView[]> {
    return this.#stored.list(tenant, (name) => this.read(tenant, name));
  }

  async read(tenant: string, name: string): Promise<PromptView> {
    const { latest, labels: stored } = await this.#stored.labelsOf(tenant, name);
    const labels = Object.entries(stored).map(([label, target]) => [label, parseTarget(target)] as const);
    return { name, latest, labels: Object.fromEntries(labels) };
  }

  async readVersion(tenant: string, name: string, version: number): Promise<PromptVersionView> {
    const place = `${versionsKey(tenant, name)}/${version}`;
    const kept = this.#versions.get(place);
    if (kept !== undefined) return kept;
    const { view, chars } = await this.#stored.read(tenant, name, version);
    if (chars <= KEPT_CHARS) this.#versions.set(place, view);
    return view;
  }

  async setLabel(tenant: string, name: string, label: string, target: LabelTarget): Promise<void> {
    await this.#stored.latestOf(tenant, name);
    const versions = 'version' in target ? [target.version] : target.arms.map(({ version }) => version);
    const [outcome, unknown] = await askScriptForTexts(this.#redis, SET_LABEL, {
      keys: [versionsKey(tenant, name), labelsKey(tenant, name)],
      ask: { label, target: JSON.stringify(target), versions },
    });
    if (outcome === 'unknown') throw this.#stored.noVersion(name, unknown ?? '');
    if (outcome === 'full') throw this.#stored.tooManyLabels();
  }

  removeLabel(tenant: string, name: string, label: string): Promise<void> {
    return this.#stored.removeLabel(tenant, name, label);
  }

  async resolve(
    tenant: string,
    { name, version, label = DEFAULT_LABEL }: PromptReference,
    unit: ArmUnit,
  ): Promise<ResolvedPrompt> {
    if (version !== undefined) return { ...(await this.readVersion(tenant, name, version)), label: null };
    if (label === NEWEST) {
      const latest = await this.#stored.latestOf(tenant, name);
      return { ...(await this.readVersion(tenant, name, latest)), label };
    }
    const stored = await this.#stored.labelled(tenant, name, label);
    const chosen = chooseArm(parseTarget(stored), `${tenant}/${name}/${label}`, unit);
    return { ...(await this.readVersion(tenant, name, chosen)), label };
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
