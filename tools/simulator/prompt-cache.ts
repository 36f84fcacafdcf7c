/**
 * The prompt caches of the vendors, per API key and model. Anthropic: prefixes that end at a mark; a mark finds what
 * was written up to 20 blocks before it. OpenAI: every prefix of at least 1,024 tokens, in steps of 128. Sources: the
 * vendors' guides "Prompt caching".
 */
import { createHash } from 'node:crypto';
import type { WireName } from './faults.ts';

export interface CachedPrompt {
  /** Tokens of the tools, which are input as well. */
  readonly tools: number;
  readonly cached: number;
  readonly written: number;
  /** The part of `written` that is kept for an hour. */
  readonly writtenForHour: number;
}

interface CacheRequest {
  readonly wire: WireName;
  readonly apiKey: string;
  readonly model: string;
  readonly body: unknown;
}

interface Entry {
  readonly tokens: number;
  readonly ttlMs: number;
  expiresAtMs: number;
}

/** One tool, block of the system text, or block of a message. */
interface Block {
  readonly text: string;
  readonly mark: Fields | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const CHARS_PER_TOKEN = 4;
const MINUTE_MS = 60_000;
const SHORT_MS = 5 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** OpenAI keeps a prefix for five to ten minutes. */
const IMPLICIT_MS = 10 * MINUTE_MS;
const LOOK_BACK_BLOCKS = 20;
const IMPLICIT_TOKENS = 1_024;
const STEP_TOKENS = 128;
const KEPT_ENTRIES = 100_000;

/** By the names of Anthropic's models; all others have the usual minimum. */
const LEAST_TOKENS: readonly (readonly [RegExp, number])[] = [
  [/opus-5|fable|mythos/, 512],
  [/opus-4-[56]|haiku-4-5/, 4_096],
  [/opus-4-7|haiku/, 2_048],
  [/./, 1_024],
];

export class PromptCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Reads the prompt of a call from the cache, and writes what the vendor would keep of it. */
  serve({ wire, apiKey, model, body }: CacheRequest): CachedPrompt {
    const fields = recordOf(body);
    const tools = tokensOf(listOf(fields['tools']).map(toolText).join(''));
    const scope = `${wire} ${apiKey} ${model}`;
    if (wire === 'anthropic') return { tools, ...this.#serveMarked(scope, model, fields) };
    const isOpenAi = wire === 'openai-chat' || wire === 'openai';
    const cached = isOpenAi ? this.#serveImplicit(`${scope} ${fields['prompt_cache_key'] ?? ''}`, fields) : 0;
    return { tools, cached, written: 0, writtenForHour: 0 };
  }

  clear(): void {
    this.#entries.clear();
  }

  #serveMarked(scope: string, model: string, body: Fields): Omit<CachedPrompt, 'tools'> {
    const prefixes = prefixesOf(blocksOf(body));
    const marks = prefixes.flatMap(({ mark }, index) => (mark === undefined ? [] : [index]));
    const least = LEAST_TOKENS.find(([name]) => name.test(model))?.[1] ?? 0;
    const cached = Math.max(0, ...marks.map((index) => this.#read(scope, prefixes, index)));
    let [written, writtenForHour, before] = [0, 0, cached];
    for (const index of marks) {
      const { hash, tokens, mark } = prefixes[index] as Prefix;
      if (tokens < least || tokens <= cached) continue;
      const forHour = mark?.['ttl'] === '1h';
      this.#write(`${scope} ${hash}`, tokens, forHour ? HOUR_MS : SHORT_MS);
      written += tokens - before;
      if (forHour) writtenForHour += tokens - before;
      before = tokens;
    }
    return { cached, written, writtenForHour };
  }

  /** @returns the tokens of the longest prefix that was written at the mark or shortly before it. */
  #read(scope: string, prefixes: readonly Prefix[], mark: number): number {
    for (let index = mark; index >= 0 && index > mark - LOOK_BACK_BLOCKS; index -= 1) {
      const entry = this.#find(`${scope} ${prefixes[index]?.hash}`);
      if (entry !== undefined) return entry.tokens;
    }
    return 0;
  }

  #serveImplicit(scope: string, body: Fields): number {
    const { tools, instructions, messages, input } = body;
    const prompt = JSON.stringify([tools, instructions, messages ?? input]);
    let cached = 0;
    const steps = Math.floor(tokensOf(prompt) / STEP_TOKENS);
    const hash = createHash('sha256').update(scope);
    for (let step = 1; step <= steps; step += 1) {
      const tokens = step * STEP_TOKENS;
      const chars = STEP_TOKENS * CHARS_PER_TOKEN;
      hash.update(prompt.slice((step - 1) * chars, step * chars));
      if (tokens < IMPLICIT_TOKENS) continue;
      const key = hash.copy().digest('hex');
      if (this.#find(key) !== undefined) cached = tokens;
      else this.#write(key, tokens, IMPLICIT_MS);
    }
    return cached;
  }

  /** Each use prolongs the life of an entry. */
  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs <= this.#now()) return undefined;
    entry.expiresAtMs = this.#now() + entry.ttlMs;
    return entry;
  }

  #write(key: string, tokens: number, ttlMs: number): void {
    this.#entries.set(key, { tokens, ttlMs, expiresAtMs: this.#now() + ttlMs });
    const oldest = this.#entries.size > KEPT_ENTRIES ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

interface Prefix {
  readonly hash: string;
  readonly tokens: number;
  readonly mark: Fields | undefined;
}

function prefixesOf(blocks: readonly Block[]): readonly Prefix[] {
  const hash = createHash('sha256');
  let chars = 0;
  return blocks.map(({ text, mark }) => {
    hash.update(`${text.length} ${text}`);
    chars += text.length;
    return { hash: hash.copy().digest('hex'), tokens: Math.ceil(chars / CHARS_PER_TOKEN), mark };
  });
}

/** In the order of the vendor: tools, system text, messages. A mark of the request stands for one on the last block. */
function blocksOf(body: Fields): readonly Block[] {
  const blocks = [
    ...listOf(body['tools']).map((tool) => ({ text: `tool ${toolText(tool)}`, mark: markOf(tool) })),
    ...contentOf(body['system']).map((block) => blockOf('system', block)),
    ...listOf(body['messages']).flatMap((message) =>
      contentOf(message['content']).map((block) => blockOf(String(message['role']), block)),
    ),
  ];
  const last = blocks.pop();
  return last === undefined ? [] : [...blocks, { ...last, mark: last.mark ?? markOf(body) }];
}

/** A text alone is the same as one block with this text. */
function blockOf(role: string, block: Fields): Block {
  const inner = listOf(block['content']).map(withoutMark);
  const own = { ...withoutMark(block), ...(inner.length === 0 ? {} : { content: inner }) };
  const text = block['type'] === 'text' ? String(block['text']) : JSON.stringify(own);
  const innerMark = listOf(block['content'])
    .map(markOf)
    .find((mark) => mark !== undefined);
  return { text: `${role} ${text}`, mark: markOf(block) ?? innerMark };
}

function contentOf(content: unknown): readonly Fields[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
}

/** The same for the spellings of all wires. */
function toolText(tool: Fields): string {
  const own = recordOf(tool['function'] ?? tool);
  const schema = own['parameters'] ?? own['input_schema'] ?? {};
  return `${own['name'] ?? own['type'] ?? ''} ${own['description'] ?? ''} ${JSON.stringify(schema)}`;
}

function withoutMark(fields: Fields): Fields {
  const { cache_control: _, ...rest } = fields;
  return rest;
}

function markOf(fields: Fields): Fields | undefined {
  const mark = fields['cache_control'];
  return typeof mark === 'object' && mark !== null ? recordOf(mark) : undefined;
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
