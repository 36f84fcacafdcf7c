/**
 * The turns of a conversation at servers of chat completions other than OpenAI's, which know fewer roles and orders.
 * Sources: DeepSeek, "Create chat completion" (four roles); mistral-common, `_validate_message_order`; Perplexity,
 * "Chat completions", errors; the chat templates of Qwen ("System message must be at the beginning").
 */
import { type Message, mediaOfResult, type Part, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { ProviderConfig } from '../../../platform/config/schema.ts';

type Quirks = NonNullable<ProviderConfig['quirks']>;

/** What the assistant says between the results of tools and the user, where a vendor wants it to say something. */
const BRIDGE: Message = { role: 'assistant', content: 'I have read the results.' };
/** What the user says first, where a vendor wants that. */
const OPENING: Message = { role: 'user', content: 'Begin.' };
const SEPARATOR = '\n\n';

/** Only OpenAI can be offered tools that must not be called. */
export function withAllowedTools(input: GenerationInput): GenerationInput {
  const { tools, toolChoice: choice } = input;
  if (typeof choice !== 'object' || !('allowed' in choice)) return input;
  const allowed = (tools ?? []).filter((tool) => 'format' in tool || choice.allowed.includes(tool.name));
  return { ...input, tools: allowed, toolChoice: choice.mode };
}

export function fitChatTurns(input: GenerationInput, { systemMessages, turns }: Quirks): GenerationInput {
  const messages = input.messages.map(withCommonRole);
  const placed =
    systemMessages === 'first'
      ? withOneSystem({ ...input, messages })
      : withJoinedLead({ ...input, messages });
  if (turns === 'alternate') return { ...placed, messages: alternating(placed.messages) };
  if (turns === 'assistant-after-tool') return { ...placed, messages: bridged(placed.messages) };
  return placed;
}

/** Only OpenAI has developers, and parts for refusals. */
function withCommonRole(message: Message): Message {
  if (message.role === 'developer') return asSystem(message);
  if (typeof message.content === 'string' || !message.content.some(isRefusal)) return message;
  return { ...message, content: message.content.map(withoutRefusal) };
}

function isRefusal(part: Part): boolean {
  return part.type === 'text' && part.isRefusal === true;
}

function withoutRefusal(part: Part): Part {
  if (part.type !== 'text' || part.isRefusal === undefined) return part;
  const { isRefusal: _, ...text } = part;
  return text;
}

export function withoutDevelopers(input: GenerationInput): GenerationInput {
  return { ...input, messages: input.messages.map(asSystem) };
}

function asSystem(message: Message): Message {
  return message.role === 'developer' ? { ...message, role: 'system' } : message;
}

/** A system text alone is sent as the user's, because such servers want a question. */
function withOneSystem(input: GenerationInput): GenerationInput {
  const rest = input.messages.filter(({ role }) => role !== 'system');
  const texts = input.messages.filter(({ role }) => role === 'system').map(textOf);
  const joined = [input.system ?? '', ...texts].filter((text) => text !== '').join(SEPARATOR);
  const { system: _, ...others } = input;
  if (joined === '') return { ...others, messages: rest };
  if (rest.length === 0) return { ...others, messages: [{ role: 'user', content: joined }] };
  return { ...others, system: joined, messages: rest };
}

/** System messages before the conversation, in one with the system text; one with marks for a cache stays apart. */
function withJoinedLead(input: GenerationInput): GenerationInput {
  const end = input.messages.findIndex(({ role }) => role !== 'system');
  if (end < 1) return input;
  const lead = input.messages.slice(0, end);
  const isMarked = ({ native, content }: Message) =>
    native !== undefined || (typeof content !== 'string' && content.some((part) => 'native' in part));
  if (lead.some(isMarked) || (lead.length === 1 && input.system === undefined)) return input;
  const system = [input.system ?? '', ...lead.map(textOf)].filter((text) => text !== '').join(SEPARATOR);
  return { ...input, system, messages: input.messages.slice(end) };
}

function textOf(message: Message): string {
  return partsOf(message)
    .flatMap((part) => (part.type === 'text' ? [part.text] : []))
    .join(SEPARATOR);
}

function alternating(messages: readonly Message[]): readonly Message[] {
  const turns: Message[][] = messages[0]?.role === 'assistant' ? [[OPENING]] : [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last?.[0]?.role === message.role) last.push(message);
    else turns.push([message]);
  }
  return turns.map(joinedTurn);
}

function joinedTurn(turn: readonly Message[]): Message {
  const [first] = turn;
  if (first === undefined) throw new RangeError('A turn has a message.');
  if (turn.length === 1) return first;
  const joined = { ...first };
  for (const message of turn.toReversed()) Object.assign(joined, message);
  const texts = turn.flatMap(({ content }) => (typeof content === 'string' ? [content] : []));
  const content = texts.length === turn.length ? texts.join(SEPARATOR) : turn.flatMap(partsOf);
  return { ...joined, content };
}

/** What follows the results of tools in the same turn of the user, or in the next, comes after the bridge. */
function bridged(messages: readonly Message[]): readonly Message[] {
  const ordered: Message[] = [];
  let isAfterResult = false;
  for (const message of messages) {
    const own = partsOf(message);
    const results = own.flatMap((part) => (part.type === 'tool-result' ? [part] : []));
    if (isAfterResult && message.role !== 'assistant' && results.length === 0) ordered.push(BRIDGE);
    const rest = [
      ...results.flatMap(mediaOfResult),
      ...own.filter(({ type }) => type !== 'tool-result'),
    ] satisfies Part[];
    isAfterResult = results.length > 0 && rest.length === 0;
    if (results.length === 0 || rest.length === 0) {
      ordered.push(message);
      continue;
    }
    const texts = results.map((result) =>
      typeof result.content === 'string'
        ? result
        : { ...result, content: result.content.filter(({ type }) => type === 'text') },
    );
    ordered.push({ role: 'user', content: texts }, BRIDGE, { ...message, content: rest });
  }
  return ordered;
}
