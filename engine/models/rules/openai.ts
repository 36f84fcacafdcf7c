/**
 * What OpenAI's two APIs demand. Sources, all at developers.openai.com/api: the references of "Create a model
 * response" and "Create chat completion"; "Structured model outputs", "Function calling", "Images and vision",
 * "Reasoning models"; and its errors for the lengths of names and ids.
 */
import { createHash } from 'node:crypto';
import { functionTools, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isWithin } from '../../../contracts/seed.ts';
import { plainName } from '../model-families.ts';
import type { FieldPlace } from '../native-fields.ts';
import { fitChatTurns, withAllowedTools, withoutDevelopers } from './chat-turns.ts';
import { withKnownFields } from './known-fields.ts';
import { mediaViolations, remoteMediaViolations } from './media.ts';
import type { FittedInput, RuledCall, VendorRules, Violation } from './rule.ts';
import { changes, without, withoutNeutralSampling } from './sampling.ts';
import { fitsStrictMode, strictSchemaFault, withFormatsInWords } from './strict-schema.ts';
import { toolResultViolations } from './tool-results.ts';
import { fitToolParameters, type ParametersRule, withOwnRoot, withPlainReferences } from './tool-schema.ts';

const TOOL_NAME = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, maxChars: 64 } as const;
const RESPONSES_CALL_ID_CHARS = 64;
/** Some of the vendor's models take 64. */
const CHAT_CALL_ID_CHARS = 40;
/**
 * The least cap that Responses takes. A smaller one is sent as this: a client that asks for one token, to see whether a
 * model answers, expects an answer. What a budget reserves for the input has room for the difference.
 */
export const LEAST_RESPONSE_TOKENS = 16;
const FORMAT_NAME_CHARS = 64;
const ANY_JSON = 'Answer with one JSON object and nothing else.';
const CHAT_STOP_SEQUENCES = 4;
const CHAT_TOOLS = 128;
const OPENAI_MODEL = /^(gpt-|o\d|chatgpt-)/;
/** These make one tool call at a time, and their chat completions refuse the switch. */
const ONE_CALL_AT_A_TIME = /^o\d/;
/**
 * From GPT-5.4 on: "To use function tools, use /v1/responses or set reasoning_effort to 'none'." Some of them think if
 * no effort is set.
 */
const TOOLS_OR_THOUGHTS = /^gpt-(?:5\.(?:[4-9]|\d\d)|[6-9])(?![\d.]*-chat)/;
/** Of the request, which servers that know few fields refuse. */
const OPENAI_HINTS = [
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'safety_identifier',
];
const PARAMETERS: ParametersRule = { takesAnyDraft: false, needsItems: true };
/** Nothing is known of what other servers refuse but that each wants an object. */
const ANY_PARAMETERS: ParametersRule = { takesAnyDraft: true, needsItems: false };
const SEEDS = [-(2n ** 63n), 2n ** 63n - 1n] as const;

const MEDIA = { imageTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'], images: 1_500 } as const;

export const openAiResponsesRules: VendorRules = {
  toolName: TOOL_NAME,
  violations: openAiViolations,
  fit: fitOpenAi,
};

export const openAiChatRules: VendorRules = {
  toolName: TOOL_NAME,
  *violations(call) {
    const { stop, tools, seed } = call.input;
    if ((stop?.length ?? 0) > CHAT_STOP_SEQUENCES) {
      yield { field: 'stop', demand: `must have at most ${CHAT_STOP_SEQUENCES} sequences` };
    }
    if ((tools?.length ?? 0) > CHAT_TOOLS) {
      yield { field: 'tools', demand: `must be at most ${CHAT_TOOLS}` };
    }
    if (seed !== undefined && !isWithin(seed, ...SEEDS)) {
      yield { field: 'seed', demand: 'must be a signed integer of 64 bits' };
    }
    yield* remoteMediaViolations(call.input.messages, ['file']);
    yield* openAiViolations(call);
  },
  fit(call) {
    const { input, dropped } = fitOpenAi(call);
    // Another model is of another server, which may want back what it gave out.
    const own = OPENAI_MODEL.test(call.model) ? withKnownFields(input, isOfOpenAi) : { input, dropped: [] };
    const { input: called, dropped: effort } = withToolsOrThoughts(call, own.input);
    const fitted = withoutParallelSwitch(call.model, called);
    // An older version of Azure's API has no developers, and its models take a system message for one.
    const isAzure = call.config.wire === 'azure-openai';
    return {
      input: isAzure ? withoutDevelopers(fitted) : fitted,
      dropped: [...dropped, ...own.dropped, ...effort],
    };
  },
};

/** Servers of this format other than OpenAI: only what all of them have in common, and what is known of this one. */
export const compatibleChatRules: VendorRules = {
  toolName: TOOL_NAME,
  *violations({ input, config }) {
    if (config.quirks?.remoteImages === false) yield* remoteMediaViolations(input.messages, ['image']);
  },
  fit(call) {
    const { quirks = {} } = call.config;
    const own = fitOpenAi(call, ANY_PARAMETERS);
    const { input, dropped } = withTakenFields(withoutParallelSwitch(call.model, own.input), quirks);
    const turned = withAllowedTools(fitChatTurns(input, quirks));
    return { input: turned, dropped: [...own.dropped, ...dropped] };
  },
};

export function openAiResponseCallId(id: string): string {
  return shortId(id, RESPONSES_CALL_ID_CHARS);
}

export function openAiChatCallId(id: string): string {
  return shortId(id, CHAT_CALL_ID_CHARS);
}

/** The vendor refuses longer ids; the same id always maps to the same one. */
function shortId(id: string, maxChars: number): string {
  if (id.length <= maxChars) return id;
  return `call_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

function* openAiViolations({ input, facts }: RuledCall): Iterable<Violation> {
  yield* toolResultViolations(input.messages);
  yield* mediaViolations(input.messages, MEDIA);
  yield* schemaViolations(input);
  if (facts.capabilities.sampling !== false) return;
  if (input.logprobs !== undefined)
    yield { field: 'logprobs', demand: 'cannot be set for a reasoning model' };
  for (const field of ['frequencyPenalty', 'presencePenalty'] as const) {
    if (changes(input, field)) yield { field, demand: 'cannot be set for a reasoning model' };
  }
}

function* schemaViolations({ output, tools }: GenerationInput): Iterable<Violation> {
  if (output?.schema !== undefined && output.strict === true) {
    const fault = strictSchemaFault(withOwnRoot(output.schema));
    if (fault !== null) yield violationOf('output.schema', fault);
  }
  for (const { name, parameters, strict } of functionTools(tools)) {
    const fault = strict === true ? strictSchemaFault(withOwnRoot(parameters)) : null;
    if (fault !== null) yield violationOf(`tools.${name}.parameters`, fault);
  }
}

function violationOf(
  field: string,
  { path, demand }: NonNullable<ReturnType<typeof strictSchemaFault>>,
): Violation {
  const where = path === '' ? field : `${field}.${path}`;
  return {
    field: where,
    demand: `${demand} in strict mode; set "strict": false for a schema without these rules`,
  };
}

/** A reasoning model takes no sampling, not even values that change nothing. */
function fitOpenAi({ input, facts }: RuledCall, rule: ParametersRule = PARAMETERS): FittedInput {
  const sampled = facts.capabilities.sampling === false ? withoutNeutralSampling(input) : input;
  const { tools, dropped } = fitToolParameters(sampled.tools, rule);
  const fitted = withFormat({ ...sampled, ...(tools === undefined ? {} : { tools }) });
  return { input: withStrictFormats(fitted), dropped };
}

/** Other vendors' strict modes take more formats, and their clients send them. */
function withStrictFormats(input: GenerationInput): GenerationInput {
  const { tools, output } = input;
  const fitted = tools?.map((tool) =>
    'format' in tool || tool.strict !== true
      ? tool
      : { ...tool, parameters: withFormatsInWords(tool.parameters) },
  );
  const isStrict = output?.schema !== undefined && output.strict === true;
  return {
    ...input,
    ...(fitted === undefined ? {} : { tools: fitted }),
    ...(isStrict ? { output: { ...output, schema: withFormatsInWords(output.schema ?? {}) } } : {}),
  };
}

function withToolsOrThoughts({ model, config }: RuledCall, input: GenerationInput): FittedInput {
  const isEither = config.wire === 'openai-chat' && TOOLS_OR_THOUGHTS.test(plainName(model));
  const hasTools = functionTools(input.tools).length > 0;
  if (!isEither || !hasTools || input.reasoning?.effort === 'none') return { input, dropped: [] };
  const dropped = input.reasoning === undefined ? [] : ['reasoning_effort'];
  return { input: { ...input, reasoning: { effort: 'none' } }, dropped };
}

function withoutParallelSwitch(model: string, input: GenerationInput): GenerationInput {
  const isSet = input.parallelToolCalls !== undefined;
  return isSet && ONE_CALL_AT_A_TIME.test(plainName(model)) ? without(input, 'parallelToolCalls') : input;
}

/** Other servers have added fields to messages, which clients send back. */
function isOfOpenAi(place: FieldPlace, name: string): boolean {
  return place === 'request' || name === 'name' || name === 'prompt_cache_breakpoint';
}

function withTakenFields(
  input: GenerationInput,
  { messageFields, promptCacheKey }: NonNullable<RuledCall['config']['quirks']>,
): FittedInput {
  if (messageFields === undefined) return { input, dropped: [] };
  return withKnownFields(input, (place, name) => {
    if (place === 'message') return messageFields.includes(name);
    if (place !== 'request') return false;
    return !OPENAI_HINTS.includes(name) || name === promptCacheKey;
  });
}

function withFormat(input: GenerationInput): GenerationInput {
  const { output } = input;
  if (output === undefined) return input;
  if (output.schema === undefined) return asksForJson(input) ? input : withTextOfJson(input);
  // The name reaches no caller, so it may be another one.
  const name = output.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, FORMAT_NAME_CHARS);
  // Nobody asked for strict mode or against it: on where the schema fits it.
  const root = withOwnRoot(output.schema);
  const strict = output.strict ?? fitsStrictMode(root);
  const schema = strict ? withPlainReferences(root) : root;
  return { ...input, output: { ...output, name, strict, schema } };
}

/** The vendor refuses JSON without a schema where no message has the word. */
function asksForJson({ system, messages }: GenerationInput): boolean {
  const texts = messages.flatMap((message) =>
    partsOf(message).map((part) => (part.type === 'text' ? part.text : '')),
  );
  return [system ?? '', ...texts].some((text) => /json/i.test(text));
}

function withTextOfJson(input: GenerationInput): GenerationInput {
  const system = input.system === undefined ? ANY_JSON : `${input.system}\n\n${ANY_JSON}`;
  return { ...input, system };
}
