/**
 * As much of Redis as the event log uses, in memory. The Lua of the log is written again in TypeScript here; a test
 * runs the same commands on this and on a real Redis and compares every answer.
 */
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { Epoch } from '../../engine/streaming/event-log.ts';
import { PACK, type PackRedis } from '../../engine/streaming/log-packer.ts';
import {
  APPEND,
  APPEND_FRAME,
  CLOCK_SKEW_MS,
  COUNT_FOLLOWERS,
  CREATE,
  ERASE,
  MARK_STORED,
  OPEN,
  OPEN_FRESH,
  REQUEST_CANCEL,
  WITHHOLD,
} from '../../engine/streaming/log-scripts.ts';
import type { LogRedis } from '../../engine/streaming/redis-event-log.ts';
import type { Script } from '../../platform/redis/lua-script.ts';

interface ScriptCall {
  readonly keys: string[];
  readonly arguments: string[];
}

interface Entry {
  readonly id: string;
  readonly lastSeq: number;
  readonly message: Readonly<Record<string, string>>;
}

type Command = (redis: MemoryRedis, call: ScriptCall) => (string | number)[];

/** An append that has just been carried out. */
export interface Appended {
  readonly channel: string;
  readonly firstSeq: number;
  readonly events: string;
  readonly at: string;
  /** What the log holds now. */
  readonly checkpoint: string | undefined;
}

export class MemoryRedis implements LogRedis, PackRedis {
  readonly #hashes = new Map<string, Map<string, string>>();
  readonly #streams = new Map<string, Entry[]>();
  readonly #strings = new Map<string, string>();
  readonly #known = new Set<string>();
  readonly #onAppended: (append: Appended) => void;

  constructor(onAppended: (append: Appended) => void = () => undefined) {
    this.#onAppended = onAppended;
  }

  /** Once for all: the simulation makes an instance for each seed. */
  static readonly #scripts: readonly (readonly [Script, Command])[] = [
    [CREATE, (redis, call) => redis.#create(call)],
    [REQUEST_CANCEL, (redis, call) => redis.#requestCancel(call)],
    [OPEN, (redis, call) => redis.#open(call)],
    [OPEN_FRESH, (redis, call) => redis.#openFresh(call)],
    [ERASE, (redis, call) => redis.#erase(call)],
    [WITHHOLD, (redis, call) => redis.#withhold(call)],
    [MARK_STORED, (redis, call) => redis.#markStored(call)],
    [APPEND, (redis, call) => redis.#append(call)],
    [APPEND_FRAME, (redis, call) => redis.#appendFrame(call)],
    [COUNT_FOLLOWERS, () => [0]],
    [PACK, (redis, call) => redis.#pack(call)],
  ];
  static readonly #commands = new Map(MemoryRedis.#scripts.map(([{ sha }, command]) => [sha, command]));
  static readonly #shas = new Map(MemoryRedis.#scripts.map(([{ source, sha }]) => [source, sha]));

  loadScripts(): void {
    for (const sha of MemoryRedis.#commands.keys()) this.#known.add(sha);
  }

  /** What scripts on the shard of a log see of it. */
  logOf(generationId: string): { readonly status: string; readonly opener: string } | null {
    const hash = this.#hashes.get(REDIS_KEYS.logMeta(generationId));
    return hash === undefined ? null : { status: hash.get('status') ?? '', opener: hash.get('opener') ?? '' };
  }

  /** As after a restart: every script must be sent whole again. */
  async scriptFlush(): Promise<void> {
    this.#known.clear();
  }

  async evalSha(sha: string, call: ScriptCall): Promise<unknown> {
    if (!this.#known.has(sha)) throw new Error('NOSCRIPT No matching script.');
    const command = MemoryRedis.#commands.get(sha);
    if (command === undefined) throw new Error('This script is not of the event log.');
    return command(this, call);
  }

  async eval(source: string, call: ScriptCall): Promise<unknown> {
    return this.evalSha(await this.scriptLoad(source), call);
  }

  async scriptLoad(source: string): Promise<string> {
    const sha = MemoryRedis.#shas.get(source);
    if (sha === undefined) throw new Error('This script is not of the event log.');
    this.#known.add(sha);
    return sha;
  }

  async get(key: string): Promise<string | null> {
    return this.#strings.get(key) ?? null;
  }

  async hGetAll(key: string): Promise<Record<string, string>> {
    return Object.fromEntries(this.#hashes.get(key) ?? []);
  }

  async hmGet(key: string, fields: string[]): Promise<(string | null)[]> {
    return fields.map((field) => this.#hashes.get(key)?.get(field) ?? null);
  }

  /** Of the ranges, those that the log asks for: from the beginning or after a seq, to the end or to a seq. */
  async xRange(
    key: string,
    start: string,
    end: string,
    options?: { readonly COUNT: number },
  ): Promise<{ id: string; message: Record<string, string> }[]> {
    const after = start === '-' ? -1 : Number(start.slice('(1-'.length));
    const until = end === '+' ? Number.POSITIVE_INFINITY : Number(end.slice('1-'.length));
    const stored = this.#streams.get(key) ?? [];
    const entries = stored.filter(({ lastSeq }) => lastSeq > after && lastSeq <= until);
    return entries.slice(0, options?.COUNT).map(({ id, message }) => ({ id, message: { ...message } }));
  }

  #create({ keys: [meta = '', stream = '', input = ''], arguments: parameters }: ScriptCall) {
    const existing = this.#hashes.get(meta)?.get('requestHash');
    if (existing !== undefined) return [0, this.#hashes.get(meta)?.get('createdAt') ?? '', existing];
    const [, events = '', text = ''] = parameters;
    const at = now();
    const hash = new Map([
      ['next', '1'],
      ['epoch', '0'],
      ['status', 'running'],
      ['createdAt', at],
      ...Object.entries(fieldsOf(parameters).fields),
    ]);
    this.#hashes.set(meta, hash);
    this.#streams.set(stream, [entry(0, at, events)]);
    this.#strings.set(input, text);
    return [1, at, ''];
  }

  #requestCancel({ keys: [meta = ''] }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    if (hash?.get('status') === 'running') hash.set('cancel', '1');
    return ['noted'];
  }

  #open({ keys: [meta = ''], arguments: parameters }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    if (hash === undefined) return ['missing'];
    const held = hash.get('epoch') ?? '';
    if (hash.get('status') !== 'running') return ['open', held];
    const { epoch: wanted, opener } = fieldsOf<Epoch>(parameters);
    const latest = Math.max(Number(held) + 1, Date.now() + CLOCK_SKEW_MS);
    const epoch = wanted === 'newest' ? latest : wanted;
    if (epoch < Number(held)) return ['fenced', held];
    hash.set('epoch', String(epoch)).set('opener', opener);
    return ['open', String(epoch)];
  }

  #openFresh({ keys: [meta = '', stream = '', channel = ''], arguments: parameters }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    const { epoch, opener, count, fields } = fieldsOf(parameters);
    const [, events = ''] = parameters;
    const next = count + 1;
    const isOwn = hash?.get('opener') === opener && hash.get('epoch') === String(epoch);
    if (isOwn && Number(hash.get('next')) === next) return ['opened'];
    const isFresh =
      hash?.get('next') === '1' && hash.get('epoch') === '0' && hash.get('status') === 'running';
    if (!isFresh || hash.has('cancel')) return ['known'];
    const at = now();
    this.#streams.get(stream)?.push(entry(count, at, events));
    const changes = { ...fields, next: String(next), epoch: String(epoch), opener };
    for (const [name, value] of Object.entries(changes)) hash.set(name, value);
    this.#onAppended({ channel, firstSeq: 1, events, at, checkpoint: hash.get('checkpoint') });
    return ['opened'];
  }

  #erase({ keys: [meta = '', ...texts] }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    if (hash === undefined) return ['missing'];
    if (hash.get('status') === 'running') {
      hash.set('eraseAtEnd', '1');
      return ['at-end'];
    }
    this.#eraseTexts(hash, texts);
    return ['erased'];
  }

  #eraseTexts(hash: Map<string, string>, texts: readonly string[]): void {
    for (const key of texts) {
      this.#streams.delete(key);
      this.#strings.delete(key);
    }
    for (const name of ['origin', 'checkpoint', 'eraseAtEnd']) hash.delete(name);
    if (hash.get('status') === 'failed') hash.delete('view:end');
    hash.set('erased', '1').set('metadata', '{}');
  }

  #withhold({ keys: [meta = ''] }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    if (hash === undefined) return ['missing', ''];
    hash.set('withheld', '1');
    return ['withheld', hash.get('stored') ?? ''];
  }

  #markStored({ keys: [meta = ''] }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    const isWithheld = hash?.has('erased') || hash?.has('eraseAtEnd') || hash?.has('withheld');
    if (hash === undefined || isWithheld) return ['withheld'];
    hash.set('stored', '1');
    return ['noted'];
  }

  #pack({ keys: [meta = '', stream = ''], arguments: parameters }: ScriptCall) {
    const hash = this.#hashes.get(meta);
    const [next, count, ...packed] = parameters;
    const isEnded = hash !== undefined && hash.get('status') !== 'running' && !hash.has('packed');
    if (!isEnded || hash.get('next') !== next || this.#streams.get(stream)?.length !== Number(count))
      return ['kept'];
    const entries: Entry[] = [];
    for (let index = 0; index < packed.length; index += 3) {
      const [id = '', field = '', value = ''] = packed.slice(index);
      entries.push({ id, lastSeq: Number(id.slice('1-'.length)), message: { [field]: value } });
    }
    this.#streams.set(stream, entries);
    hash.set('packed', '1');
    return ['packed'];
  }

  #append({ keys, arguments: parameters }: ScriptCall) {
    const [meta = '', stream = '', input = '', channel = '', compressed = ''] = keys;
    const ask = fieldsOf(parameters);
    const { mode, count, step, status, checkpoint, fields, hasFirstText } = ask;
    const [, events = ''] = parameters;
    const hash = this.#hashes.get(meta);
    if (hash === undefined) return ['missing', '0'];
    const next = Number(hash.get('next'));
    const refusal = mode === 'fenced' ? refuseFenced(hash, ask) : refuseOnce(hash, mode, step);
    if (refusal !== null) return refusal;
    const at = now();
    const after = String(next + count);
    this.#streams.get(stream)?.push(entry(next + count - 1, at, events));
    hash.set('next', after);
    if (mode !== 'fenced') hash.set(`once:${step}`, at).set('stepNext', after);
    if (checkpoint !== undefined) hash.set('checkpoint', checkpoint);
    for (const [name, value] of Object.entries(fields)) hash.set(name, value);
    if (hasFirstText === true && !hash.has('firstTextAt')) hash.set('firstTextAt', at);
    if (status !== undefined) hash.set('status', status).set('endedAt', at);
    if (status !== undefined && hash.has('eraseAtEnd')) {
      this.#eraseTexts(hash, [stream, input, compressed]);
    }
    this.#onAppended({ channel, firstSeq: next, events, at, checkpoint: hash.get('checkpoint') });
    return ['appended', after, hash.get('cancel') ?? ''];
  }

  #appendFrame({ keys: [meta = '', stream = '', channel = ''], arguments: parameters }: ScriptCall) {
    const [epoch, opener, expected = '', after = '', id = '', events = '', checkpoint = ''] = parameters;
    const hash = this.#hashes.get(meta);
    const isOwn = hash?.get('epoch') === epoch && hash?.get('opener') === opener;
    if (hash?.get('next') !== expected || !isOwn || hash.get('status') !== 'running') return ['ask'];
    const at = now();
    this.#streams.get(stream)?.push(entry(Number(id.slice('1-'.length)), at, events));
    hash.set('next', after);
    if (checkpoint !== '') hash.set('checkpoint', checkpoint);
    this.#onAppended({ channel, firstSeq: Number(expected), events, at, checkpoint: hash.get('checkpoint') });
    return ['appended', hash.get('cancel') ?? ''];
  }
}

/** The named fields of a script's first argument; each script reads only the ones that it needs. */
interface ScriptFields<InEpoch extends Epoch = number> {
  readonly mode: 'fenced' | 'once' | 'unopened' | 'uncancelled';
  readonly epoch: InEpoch;
  readonly opener: string;
  readonly expectedSeq: number;
  readonly count: number;
  readonly step: string;
  readonly status?: string;
  readonly checkpoint?: string;
  readonly hasFirstText?: boolean;
  readonly fields: Readonly<Record<string, string>>;
}

function fieldsOf<InEpoch extends Epoch = number>(parameters: readonly string[]): ScriptFields<InEpoch> {
  return JSON.parse(parameters[0] ?? '{}');
}

function refuseOnce(hash: ReadonlyMap<string, string>, mode: string, step: string): string[] | null {
  const next = hash.get('next') ?? '';
  if (hash.has(`once:${step}`)) return ['already-appended', next];
  if (hash.get('status') !== 'running') return ['ended', next];
  if (mode === 'unopened' && hash.get('epoch') !== '0') return ['opened', next];
  if (mode === 'uncancelled' && hash.has('cancel')) return ['cancel-requested', next];
  return null;
}

function refuseFenced(
  hash: Map<string, string>,
  { epoch, opener, expectedSeq, count }: Pick<ScriptFields, 'epoch' | 'opener' | 'expectedSeq' | 'count'>,
): string[] | null {
  const stored = hash.get('next') ?? '';
  const next = Number(stored);
  const held = hash.get('epoch') ?? '';
  if (next < expectedSeq && Number(held) <= epoch) {
    hash.set('tornFrom', String(Math.min(next, Number(hash.get('tornFrom') ?? next))));
    hash.set('tornUntil', String(Math.max(expectedSeq - 1, Number(hash.get('tornUntil') ?? 0))));
    return ['torn', stored];
  }
  if (Number(held) !== epoch) return ['fenced', held];
  const isOwn = (hash.get('opener') ?? opener) === opener;
  const isRepeated = isOwn && next === expectedSeq + count && stored !== hash.get('stepNext');
  if (isRepeated) return ['already-appended', stored];
  if (hash.get('status') !== 'running') return ['ended', stored];
  if (!isOwn) return ['fenced', stored];
  return next === expectedSeq ? null : ['conflict', stored];
}

function entry(lastSeq: number, at: string, events: string): Entry {
  return { id: `1-${lastSeq}`, lastSeq, message: { at, events } };
}

function now(): string {
  return String(Date.now());
}
