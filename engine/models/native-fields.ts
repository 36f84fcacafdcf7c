/**
 * What becomes of the fields of one request format at a provider of another. A field without a rule could change the
 * answer, so a provider that cannot take it is not asked. docs/wires-fields.md shows the result for every field.
 */
import { audioOf } from '../../contracts/audio.ts';
import { sealOfCompaction } from '../../contracts/compaction.ts';
import {
  functionTools,
  type Message,
  type NativeFields,
  type Part,
  partsOf,
  type RequestFormat,
} from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { isJsonObject } from '../../contracts/json.ts';
import { readableTextOf, unreadFieldsOf } from '../../contracts/readable-blocks.ts';
import { isLeftOutTool } from '../../contracts/responses-tools.ts';
import type { WireFamily } from '../../platform/config/schema.ts';

interface WireTraits {
  /** The format whose fields its providers take as they are; null for none. */
  readonly format: RequestFormat | null;
  /** Whether a tool can be strict. */
  readonly takesStrict: boolean;
  /** Whether the schema of an answer can have a description. */
  readonly describesOutput: boolean;
}

const WIRES: Readonly<Record<WireFamily, WireTraits>> = {
  'openai-chat': { format: 'openai-chat', takesStrict: true, describesOutput: true },
  'azure-openai': { format: 'openai-chat', takesStrict: true, describesOutput: true },
  'openai-responses': { format: 'openai-responses', takesStrict: true, describesOutput: true },
  'anthropic-messages': { format: 'anthropic-messages', takesStrict: true, describesOutput: false },
  bedrock: { format: 'anthropic-messages', takesStrict: true, describesOutput: false },
  google: { format: null, takesStrict: false, describesOutput: false },
  cohere: { format: null, takesStrict: false, describesOutput: false },
  'ai-sdk': { format: null, takesStrict: true, describesOutput: true },
};

/** Top-level fields that OpenAI's two formats share; elsewhere they are hints. */
const SHARED_BY_OPENAI = [
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'safety_identifier',
  'service_tier',
  'user',
] as const;

/**
 * Where a field stands: in the request, a message, a tool, or a part of this type; and its path there. `translated`: a
 * field of our own contract carries it. `hint`: the answer is as valid without it; where it does not arrive, the
 * response says so.
 */
const RULES: Readonly<Record<string, 'translated' | 'hint'>> = {
  ...Object.fromEntries(SHARED_BY_OPENAI.map((name) => [`request.${name}`, 'hint' as const])),
  'request.metadata': 'hint',
  // Chat completions: the prediction saves time only.
  'request.prediction': 'hint',
  'request.stream_options.include_obfuscation': 'hint',
  // Responses: more to read about the answer, not another answer.
  'request.include': 'hint',
  'request.reasoning.summary': 'hint',
  'request.reasoning.generate_summary': 'hint',
  // Done before the call, where the window of the model is known.
  'request.truncation': 'translated',
  'request.max_tool_calls': 'hint',
  'request.client_metadata': 'hint',
  // Messages. `context_management` only shortens what the model sees.
  'request.thinking.type': 'translated',
  'request.thinking.budget_tokens': 'translated',
  'request.thinking.display': 'hint',
  // Chat completions of OpenRouter and others: what becomes of them is in `reasoning-dialects.ts`.
  'request.reasoning.effort': 'translated',
  'request.reasoning.enabled': 'translated',
  'request.reasoning.max_tokens': 'translated',
  'request.reasoning.exclude': 'hint',
  'request.enable_thinking': 'translated',
  'request.output_config.effort': 'translated',
  'request.cache_control': 'hint',
  'request.context_management': 'hint',
  'request.diagnostics': 'hint',
  'message.name': 'hint',
  'message.phase': 'hint',
  'message.prefix': 'hint',
  // Thoughts of an earlier turn: no other model can use them.
  'message.reasoning_content': 'hint',
  'message.reasoning': 'hint',
  'message.reasoning_details': 'hint',
  'tool.defer_loading': 'hint',
  // Responses: custom tools are carried as functions, and namespaces in their names.
  'tool.type': 'translated',
  'tool.format': 'translated',
  'tool.namespace': 'translated',
  'tool.is_additional': 'translated',
  'tool.leaves_strict': 'translated',
  'tool-call.type': 'translated',
  'tool-call.namespace': 'translated',
  'tool-result.type': 'translated',
  'tool.function.cache_control': 'hint',
  'tool.eager_input_streaming': 'hint',
  'tool.input_examples': 'hint',
  'text.annotations': 'hint',
  'text.logprobs': 'hint',
  'text.citations': 'hint',
  // Clients send back what they were given of a call, and what they have read of its arguments.
  'tool-call.caller': 'hint',
  'tool-call.index': 'hint',
  // Google's signature of a call, as its chat completions give it out.
  'tool-call.extra_content': 'hint',
  'tool-call.function.parsed_arguments': 'hint',
  'message.parsed': 'hint',
  'message.annotations': 'hint',
  // Pictures of an earlier answer, as OpenRouter has them.
  'message.images': 'hint',
};

/** The same wherever they stand: where a prompt may be cached. */
const CACHE_MARKS: readonly string[] = [
  'cache_control',
  'cache_control.scope',
  'cache_control.ttl',
  'prompt_cache_breakpoint',
];

export type FieldPlace = 'request' | 'message' | 'tool' | Part['type'];

/** Whether an answer is as valid without this field. */
export function isHint(place: FieldPlace, path: string): boolean {
  return ruleFor(place, path) === 'hint';
}

function ruleFor(place: FieldPlace, path: string): 'translated' | 'hint' | undefined {
  return CACHE_MARKS.includes(path) ? 'hint' : RULES[`${place}.${path}`];
}

/** The paths of the fields; an object with rules for its fields is looked into. */
function pathsOf(place: FieldPlace, fields: Readonly<Record<string, unknown>>, above = ''): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = `${above}${name}`;
    const isRuled = Object.keys(RULES).some((rule) => rule.startsWith(`${place}.${path}.`));
    return isRuled && isJsonObject(value) ? pathsOf(place, value, `${path}.`) : [path];
  });
}

/** The names of what a provider does not take, as its client wrote them. */
interface ForeignFields {
  /** They could change the answer. */
  readonly refused: readonly string[];
  /** The answer is valid without them. */
  readonly dropped: readonly string[];
}

type Native = Pick<GenerationInput, 'messages' | 'tools' | 'native' | 'output'>;

/** What of this input a provider of the wire cannot take. */
export function foreignFields(input: Native, wire: WireFamily, provider: string): ForeignFields {
  const { format, takesStrict, describesOutput } = WIRES[wire];
  const refused = new Set<string>();
  const dropped = new Set<string>();
  const judge = (place: FieldPlace, native: NativeFields | undefined, label: string) => {
    if (native === undefined || native.format === format) return;
    for (const path of pathsOf(place, native.fields)) {
      const rule = ruleFor(place, path);
      const isShared = place === 'request' && isSharedBy(native.format, format, path);
      const isMark = format === 'anthropic-messages' && path.endsWith('cache_control');
      const isEmpty = place === 'request' && rule === undefined && saysNothing(path, native.fields[path]);
      if (rule === 'translated' || isShared || isMark || isEmpty) continue;
      (rule === 'hint' ? dropped : refused).add(`${label}${path}`);
    }
  };
  judge('request', input.native, '');
  if (format !== 'anthropic-messages' && (input.native?.betas ?? []).length > 0)
    dropped.add('anthropic-beta');
  for (const tool of functionTools(input.tools)) {
    if (tool.strict === true && !takesStrict) dropped.add('tools.strict');
    judge('tool', tool.native, 'tools.');
  }
  if (input.output?.description !== undefined && !describesOutput) dropped.add('json_schema.description');
  for (const tool of input.tools ?? []) {
    if (!('format' in tool)) continue;
    if (tool.format === 'openai-responses' && isLeftOutTool(tool.value['type']))
      dropped.add(`tools.${nameOf(tool.value['type'])}`);
    else if (tool.format !== format) refused.add(`tools of type ${nameOf(tool.value['type'])}`);
  }
  const judgePart = (part: Part) => {
    if (part.type === 'native') {
      // It is opened before the call.
      if (sealOfCompaction(part) !== null) return;
      const isForeign = part.format !== format || (part.issuer !== undefined && part.issuer !== provider);
      if (!isForeign) return;
      if (readableTextOf(part) !== null) {
        for (const name of unreadFieldsOf(part)) dropped.add(`${nameOf(part.value['type'])}.${name}`);
        return;
      }
      if (wire === 'google' && audioOf(part) !== null) {
        const marks = CACHE_MARKS.filter((name) => name in part.value);
        for (const name of marks) dropped.add(`input_audio.${name}`);
        return;
      }
      if (part.isReasoning === true) dropped.add('reasoning');
      else refused.add(`${nameOf(part.value['type'])} parts`);
      return;
    }
    // The attempt decides, which knows who issued them.
    if (part.type === 'reasoning') return;
    for (const name of lostOf(part, wire)) dropped.add(name);
    judge(part.type, part.native, `${part.type}.`);
    if (part.type === 'tool-result' && typeof part.content !== 'string') part.content.forEach(judgePart);
  };
  for (const message of input.messages) {
    judge('message', message.native, 'messages.');
    partsOf(message).forEach(judgePart);
  }
  return { refused: [...refused], dropped: [...dropped] };
}

/** What sampling is without these fields of vLLM and OpenRouter; their clients send it anyway. */
const OFF: ReadonlyMap<string, number> = new Map([
  ['min_p', 0],
  ['top_a', 0],
  ['repetition_penalty', 1],
  ['length_penalty', 1],
]);

/** Clients send fields that are not set as empty ones, or as their default. */
function saysNothing(name: string, value: unknown): boolean {
  if (typeof value === 'number') return OFF.get(name) === value;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** What a part says that the wire has no place for, and that the answer is as valid without. */
function lostOf(part: Part, wire: WireFamily): readonly string[] {
  const isOpenAi = WIRES[wire].format?.startsWith('openai') === true;
  if (part.type === 'image' && part.detail !== undefined && !isOpenAi) return ['image.detail'];
  return part.type === 'file' && part.name !== undefined && wire === 'google'
    ? ['file.title (filename)']
    : [];
}

/** The fields of OpenAI's other format that a provider of this one takes under the same name. */
export function sharedFields(
  native: NativeFields | undefined,
  format: RequestFormat,
): Readonly<Record<string, unknown>> {
  if (native === undefined) return {};
  return Object.fromEntries(
    Object.entries(native.fields).filter(([name]) => isSharedBy(native.format, format, name)),
  );
}

function isSharedBy(from: RequestFormat, to: RequestFormat | null, path: string): boolean {
  const isOpenAi = (format: RequestFormat | null) =>
    format === 'openai-chat' || format === 'openai-responses';
  return (
    from !== to && isOpenAi(from) && isOpenAi(to) && (SHARED_BY_OPENAI as readonly string[]).includes(path)
  );
}

/** The input without hints, in which two requests for the same answer may differ. */
export function withoutHints<Input extends Native>(input: Input): Input {
  if (input.native === undefined && !hasNative(input)) return input;
  const strip = (place: FieldPlace, native: NativeFields | undefined): NativeFields | undefined => {
    if (native === undefined) return undefined;
    const kept = Object.entries(native.fields).filter(([path]) => ruleFor(place, path) !== 'hint');
    return kept.length === 0 ? undefined : { ...native, fields: Object.fromEntries(kept) };
  };
  const stripPart = (part: Part): Part[] => {
    // What a model thought before is not part of what is asked now.
    if (part.type === 'reasoning') return [];
    return [part.type === 'native' ? part : withNative(part, strip(part.type, part.native))];
  };
  const stripMessage = (message: Message): Message => {
    const own = withNative(message, strip('message', message.native));
    return typeof own.content === 'string' ? own : { ...own, content: own.content.flatMap(stripPart) };
  };
  const tools = input.tools?.map((tool) =>
    'format' in tool ? tool : withNative(tool, strip('tool', tool.native)),
  );
  const own = withNative(input, strip('request', input.native));
  return { ...own, messages: input.messages.map(stripMessage), ...(tools === undefined ? {} : { tools }) };
}

function hasNative({ messages, tools }: Native): boolean {
  return (
    functionTools(tools).some(({ native }) => native !== undefined) ||
    messages.some(
      (message) =>
        message.native !== undefined ||
        partsOf(message).some(
          (part) => part.type === 'reasoning' || (part.type !== 'native' && part.native !== undefined),
        ),
    )
  );
}

function withNative<Value extends { readonly native?: unknown }>(
  value: Value,
  native: NativeFields | undefined,
): Value {
  const { native: _, ...rest } = value;
  return (native === undefined ? rest : { ...rest, native }) as Value;
}

function nameOf(type: unknown): string {
  return typeof type === 'string' && type.length <= 64 ? type : 'unknown';
}
