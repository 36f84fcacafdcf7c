/**
 * Named things in Redis whose versions never change and whose labels move, such as prompts; durable by its append-only
 * file. Each is two hashes of one hash tag: its versions, each under its number and under the hash of its content, and
 * its labels. One script writes a version once.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { NEWEST } from '../../contracts/prompts.ts';
import { askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';

/** KEYS versions. ARGV[2] the version. -> {'known' | 'created' | 'full', number} */
const ADD_VERSION = script(`
local ask = cjson.decode(ARGV[1])
local known = redis.call('HGET', KEYS[1], 'hash:' .. ask.hash)
if known then return {'known', known} end
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')
if latest >= ask.most then return {'full', latest} end
local number = string.format('%.0f', latest + 1)
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'latest', number, 'hash:' .. ask.hash, number, 'v:' .. number, ARGV[2], 'at:' .. number, at)
return {'created', number}
`);

export interface VersionsRedis extends ScriptRedis {
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  hDel(key: string, field: string): Promise<unknown>;
  sAdd(key: string, member: string): Promise<unknown>;
  sMembers(key: string): Promise<string[]>;
  sIsMember(key: string, member: string): Promise<number>;
  sCard(key: string): Promise<number>;
}

/** What is stored by versions. */
interface VersionedKind<Content> {
  /** As messages name it: `prompt`. */
  readonly noun: 'prompt' | 'pipeline';
  readonly content: z.ZodType<Content>;
  readonly mostPerTenant: number;
  readonly mostVersions: number;
  readonly mostLabels: number;
  namesKey(tenant: string): string;
  key(tenant: string, name: string, part: 'versions' | 'labels'): string;
}

interface StoredVersion<Content> {
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly content: Content;
}

/** Methods that name a thing, a version or a label throw `<noun>_not_found` if it does not exist. */
export class RedisVersions<Content> {
  readonly #redis: VersionsRedis;
  readonly #kind: VersionedKind<Content>;
  readonly #stored;

  constructor(redis: VersionsRedis, kind: VersionedKind<Content>) {
    this.#redis = redis;
    this.#kind = kind;
    this.#stored = z.object({ content: kind.content, createdBy: z.string() });
  }

  /** Known content returns its existing version, so a retried request adds no second one. */
  async add(
    tenant: string,
    name: string,
    content: Content,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }> {
    const { noun, mostPerTenant, mostVersions } = this.#kind;
    const index = this.#kind.namesKey(tenant);
    const [isKnown, count] = await Promise.all([
      this.#redis.sIsMember(index, name),
      this.#redis.sCard(index),
    ]);
    if (!isKnown && count >= mostPerTenant) throw atMost('A tenant', mostPerTenant, `${noun}s`);
    // The index has another hash tag, so it cannot be in the script. A name without a version is not shown, so it may
    // come first.
    await this.#redis.sAdd(index, name);
    const [outcome, number] = await askScriptForTexts(this.#redis, ADD_VERSION, {
      keys: [this.#kind.key(tenant, name, 'versions')],
      ask: { hash: createHash('sha256').update(JSON.stringify(content)).digest('hex'), most: mostVersions },
      texts: [JSON.stringify({ content, createdBy })],
    });
    if (outcome === 'full') throw atMost(`A ${noun}`, mostVersions, 'versions');
    return { version: Number(number), created: outcome === 'created' };
  }

  /** What `read` returns of each that has a version, by name. */
  async list<View>(tenant: string, read: (name: string) => Promise<View>): Promise<View[]> {
    const names = (await this.#redis.sMembers(this.#kind.namesKey(tenant))).sort();
    const views = await Promise.all(
      names.map((name) =>
        read(name).catch((error: unknown) => {
          if (error instanceof UnbrokenError && error.code === `${this.#kind.noun}_not_found`) return null;
          throw error;
        }),
      ),
    );
    return views.filter((view) => view !== null);
  }

  /** @returns the version, and the characters that it takes as it is stored. */
  async read(
    tenant: string,
    name: string,
    version: number,
  ): Promise<{ readonly view: StoredVersion<Content>; readonly chars: number }> {
    const [stored, at] = await this.#redis.hmGet(this.#kind.key(tenant, name, 'versions'), [
      `v:${version}`,
      `at:${version}`,
    ]);
    if (stored === undefined || stored === null) throw this.noVersion(name, version);
    const { content, createdBy } = this.#stored.parse(JSON.parse(stored));
    return { view: { name, version, createdAt: Number(at), createdBy, content }, chars: stored.length };
  }

  async latestOf(tenant: string, name: string): Promise<number> {
    const key = this.#kind.key(tenant, name, 'versions');
    const latest = Number((await this.#redis.hGet(key, 'latest')) ?? 0);
    if (latest === 0) throw this.#notFound(`There is no ${this.#kind.noun} "${name}".`);
    return latest;
  }

  /** The labels as they are stored, and the latest version. */
  async labelsOf(
    tenant: string,
    name: string,
  ): Promise<{ readonly latest: number; readonly labels: Readonly<Record<string, string>> }> {
    const [latest, labels] = await Promise.all([
      this.latestOf(tenant, name),
      this.#redis.hGetAll(this.#kind.key(tenant, name, 'labels')),
    ]);
    return { latest, labels };
  }

  /** What a label names, as it is stored. */
  async labelled(tenant: string, name: string, label: string): Promise<string> {
    const stored = await this.#redis.hGet(this.#kind.key(tenant, name, 'labels'), label);
    if (stored !== null) return stored;
    const { labels, latest } = await this.labelsOf(tenant, name);
    const known = [...Object.keys(labels), NEWEST].join(', ');
    throw this.#notFound(
      `The ${this.#kind.noun} "${name}" has no label "${label}"; it has ${known} and ${latest} versions.`,
    );
  }

  async removeLabel(tenant: string, name: string, label: string): Promise<void> {
    await this.latestOf(tenant, name);
    await this.#redis.hDel(this.#kind.key(tenant, name, 'labels'), label);
  }

  noVersion(name: string, version: number | string): UnbrokenError {
    return this.#notFound(`There is no version ${version} of the ${this.#kind.noun} "${name}".`);
  }

  tooManyLabels(): UnbrokenError {
    return atMost(`A ${this.#kind.noun}`, this.#kind.mostLabels, 'labels');
  }

  #notFound(message: string): UnbrokenError {
    return new UnbrokenError(`${this.#kind.noun}_not_found`, message);
  }
}

function atMost(what: string, most: number, things: string): UnbrokenError {
  return new UnbrokenError('invalid_request', `${what} has at most ${most} ${things}.`);
}
