/**
 * The names of tools at a vendor. A name that the vendor refuses (MCP servers have dots, slashes and long prefixes) is
 * sent under another one and comes back under its own. The same name always maps to the same one, so a conversation
 * that moves to another process or vendor still fits its tools.
 */
import { createHash } from 'node:crypto';
import { functionTools, type Message, type Part, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { mapParts, type ToolNameRule, type Violation } from './rule.ts';

const HASH_CHARS = 8;

interface RenamedTools {
  readonly input: GenerationInput;
  /** The client's name of a tool that the vendor calls. */
  readonly ownName: (sent: string) => string;
}

export function renameTools(input: GenerationInput, rule: ToolNameRule): RenamedTools {
  const sentAs = new Map<string, string>();
  for (const name of namesIn(input)) if (!rule.pattern.test(name)) sentAs.set(name, validName(name, rule));
  if (sentAs.size === 0) return { input, ownName: (sent) => sent };
  const rename = (name: string) => sentAs.get(name) ?? name;
  const named = new Map([...sentAs].map(([own, sent]) => [sent, own]));
  const { tools, toolChoice, messages } = input;
  const renamed: GenerationInput = {
    ...input,
    messages: mapParts(messages, (part) =>
      part.type === 'tool-call' && sentAs.has(part.name) ? { ...part, name: rename(part.name) } : part,
    ),
    ...(tools === undefined
      ? {}
      : { tools: tools.map((tool) => ('format' in tool ? tool : { ...tool, name: rename(tool.name) })) }),
    ...(typeof toolChoice !== 'object' ? {} : { toolChoice: renamedChoice(toolChoice, rename) }),
  };
  return { input: renamed, ownName: (sent) => named.get(sent) ?? sent };
}

/** A tool that its client has listed several times, as servers of tools and agents add theirs: once. */
export function withoutRepeatedTools(tools: GenerationInput['tools']): GenerationInput['tools'] {
  const seen = new Set<string>();
  const kept = tools?.filter((tool) => {
    if ('format' in tool) return true;
    const { name, description, parameters, strict } = tool;
    const own = JSON.stringify([name, description, parameters, strict]);
    const isNew = !seen.has(own);
    seen.add(own);
    return isNew;
  });
  return kept?.length === tools?.length ? tools : kept;
}

/** For vendors that refuse a name that two tools have. */
export function* sharedNameViolations({ tools }: GenerationInput): Iterable<Violation> {
  const names = functionTools(tools).map(({ name }) => name);
  const shared = names.find((name, index) => names.indexOf(name) < index);
  if (shared !== undefined) yield { field: `tools.${shared}`, demand: 'must have a name that no other has' };
}

function renamedChoice(
  choice: Exclude<NonNullable<GenerationInput['toolChoice']>, string>,
  rename: (name: string) => string,
): NonNullable<GenerationInput['toolChoice']> {
  if ('name' in choice) return { name: rename(choice.name) };
  return { ...choice, allowed: choice.allowed.map(rename) };
}

function namesIn({ tools, messages, toolChoice }: GenerationInput): readonly string[] {
  const chosen = typeof toolChoice === 'object' && 'name' in toolChoice ? [toolChoice.name] : [];
  return [...functionTools(tools).map(({ name }) => name), ...messages.flatMap(calledIn), ...chosen];
}

function calledIn(message: Message): string[] {
  if (message.role !== 'assistant') return [];
  return partsOf(message).flatMap((part: Part) => (part.type === 'tool-call' ? [part.name] : []));
}

/** Readable for the model, and distinct: two names may differ only in what the vendor refuses. */
function validName(name: string, { maxChars }: ToolNameRule): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARS);
  const readable = name.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^(?![A-Za-z_])/, '_');
  return `${readable.slice(0, maxChars - HASH_CHARS - 1)}_${hash}`;
}
