/**
 * Marks where Anthropic may cache a prompt, if its client has set no mark. A mark ends a prefix, in the order tools,
 * system, messages. A prefix that is found again costs a tenth of the input; one that is written, a quarter more.
 * Source: Anthropic's "Prompt caching".
 */
import type {
  CacheControlEphemeral,
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages';
import { cacheMarksOf } from '../../../contracts/cache-marks.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isJsonObject } from '../../../contracts/json.ts';
import { claudeVersion, plainName } from '../../models/model-families.ts';

type Body = MessageCreateParamsStreaming;

/** Blocks that take no mark: thoughts, and empty text. */
const UNMARKED = ['thinking', 'redacted_thinking'];
/** A mark on a shorter prefix is ignored and costs nothing, so tokens are rather counted too high. */
const BYTES_PER_TOKEN = 3;
/** The most that an image has. */
const TOKENS_PER_IMAGE = 1_600;

/**
 * The marks: the last tool and the last block of the system text, which other conversations share; the last turn of the
 * user, which the next call reads; and the turn before it, which the call before this one wrote: the vendor looks back
 * only 20 blocks from a mark, and one turn of an agent can have more. So there are at most four, the vendor's limit.
 * @param continued how many of the last messages ask to continue an answer: no later call repeats them.
 */
export function withCacheBreakpoints(
  body: Body,
  { model, input }: { readonly model: string; readonly input: GenerationInput },
  continued: number,
): Body {
  if (input.promptCaching === 'off' || cacheMarksOf(input).length > 0) return body;
  const least = leastCachedTokens(model);
  const tools = tokensOf(body.tools);
  const system = tools + tokensOf(body.system);
  const conversation = body.messages.slice(0, body.messages.length - continued);
  const prefixes = prefixSizes(system, conversation);
  // Most prompts are short.
  if ((prefixes.at(-1) ?? system) < least) return body;
  const mark: CacheControlEphemeral =
    input.promptCaching === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' };
  const marked = { ...body };
  if (body.tools !== undefined && tools >= least) marked.tools = withMarkedTool(body.tools, mark);
  if (body.system !== undefined && system >= least)
    marked.system = withMarkedEnd(blocksOf(body.system), mark);
  marked.messages = [...body.messages];
  for (const index of isRepeated(input) ? lastTurnsOfUser(conversation) : []) {
    const message = body.messages[index];
    if (message === undefined || (prefixes[index] ?? 0) < least) continue;
    marked.messages[index] = withMarkedMessage(message, mark);
  }
  return marked;
}

/**
 * The mark of a request as a whole as a mark of its last block, which is where the vendor puts it: Vertex AI and
 * Bedrock do not know the first. Source: "Prompt caching", "Automatic caching".
 */
export function withMarkAtEnd<Own extends object>(request: Own): Own {
  const { cache_control: mark, ...body } = request as Body & { readonly cache_control?: unknown };
  if (!isJsonObject(mark)) return request;
  const last = body.messages.at(-1);
  if (last === undefined || hasMarkAtEnd(last)) return body as unknown as Own;
  return {
    ...body,
    messages: [...body.messages.slice(0, -1), withMarkedMessage(last, mark)],
  } as unknown as Own;
}

function hasMarkAtEnd({ content }: MessageParam): boolean {
  const last = typeof content === 'string' ? undefined : content.at(-1);
  return last !== undefined && 'cache_control' in last && isJsonObject(last.cache_control);
}

export function withMarkedMessage(message: MessageParam, mark: object): MessageParam {
  const blocks: ContentBlockParam[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  return { ...message, content: withMarkedEnd(blocks, mark) } as MessageParam;
}

/**
 * Tokens of the shortest prefix that the vendor caches. Source: "Prompt caching", "Cache limitations"; an unknown model
 * counts as one with the usual minimum.
 */
function leastCachedTokens(model: string): number {
  const name = plainName(model);
  const version = claudeVersion(name) ?? 0;
  if (/fable|mythos/.test(name)) return 512;
  if (name.includes('opus')) {
    if (version >= 50) return 512;
    if (version === 47) return 2_048;
    return version === 45 || version === 46 ? 4_096 : 1_024;
  }
  if (name.includes('haiku')) return version >= 45 ? 4_096 : 2_048;
  return 1_024;
}

/**
 * Whether a later call will begin with these messages. Not if they are compressed: each question keeps other parts. And
 * not if JSON is wanted without tools or earlier turns: data is extracted, and no second question follows.
 */
function isRepeated({ messages, tools, output, compression }: GenerationInput): boolean {
  const hasHistory = messages.some(({ role }) => role === 'assistant');
  return compression === undefined && (output === undefined || tools !== undefined || hasHistory);
}

function lastTurnsOfUser(messages: readonly MessageParam[]): readonly number[] {
  return messages.flatMap(({ role }, index) => (role === 'user' ? [index] : [])).slice(-2);
}

/** The tokens up to the end of each message. */
function prefixSizes(before: number, messages: readonly MessageParam[]): readonly number[] {
  let size = before;
  return messages.map((message) => {
    size += tokensOf(message);
    return size;
  });
}

/** A tool that is loaded only when the model searches for it is no part of the prefix. */
function withMarkedTool(tools: readonly ToolUnion[], mark: object): ToolUnion[] {
  const last = tools.findLastIndex((tool) => !('defer_loading' in tool) || tool.defer_loading !== true);
  return tools.map((tool, index) =>
    index === last ? ({ ...tool, cache_control: mark } as ToolUnion) : tool,
  );
}

function blocksOf(system: string | readonly TextBlockParam[]): readonly TextBlockParam[] {
  return typeof system === 'string' ? [{ type: 'text', text: system }] : system;
}

/** Marks the last block that takes a mark. */
export function withMarkedEnd<Block extends ContentBlockParam>(
  blocks: readonly Block[],
  mark: object,
): Block[] {
  const last = blocks.findLastIndex(
    (block) => !UNMARKED.includes(block.type) && !(block.type === 'text' && block.text === ''),
  );
  return blocks.map((block, index) => (index === last ? { ...block, cache_control: mark } : block));
}

/** The texts of a part of the request, in tokens. */
function tokensOf(value: unknown): number {
  if (typeof value === 'string') return Math.ceil(Buffer.byteLength(value) / BYTES_PER_TOKEN);
  if (typeof value !== 'object' || value === null) return 0;
  if ('type' in value && value.type === 'base64' && 'data' in value) {
    return Math.min(tokensOf(value.data), TOKENS_PER_IMAGE);
  }
  let tokens = 0;
  for (const [name, own] of Object.entries(value)) {
    tokens += tokensOf(own) + (Array.isArray(value) ? 0 : tokensOf(name));
  }
  return tokens;
}
