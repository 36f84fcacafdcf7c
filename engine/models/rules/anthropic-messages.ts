/**
 * What Anthropic's Messages API demands. Sources, all at platform.claude.com/docs: "Messages" (API reference),
 * "Extended thinking", "Adaptive thinking", "Structured outputs", "Handle tool calls", "Define tools", "Vision", "PDF
 * support"; and the messages of its errors for the patterns of names and ids.
 */
import { createHash } from 'node:crypto';
import { cacheMarksOf } from '../../../contracts/cache-marks.ts';
import { functionTools, type Message, type ToolResultPart, type Tools } from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { isJsonObject } from '../../../contracts/json.ts';
import {
  alwaysThinks,
  choosesThinkingBudget,
  refusesForcedTool,
  refusesThinkingBudget,
  thinksBetweenTools,
} from '../claude-thinking.ts';
import { claudeVersion, plainName } from '../model-families.ts';
import { claudeEffort } from '../reasoning-efforts.ts';
import { anthropicSchemaFault, openObjectFault, toStrictParameters } from './anthropic-schema.ts';
import { withUniqueCallIds } from './call-ids.ts';
import { mediaViolations } from './media.ts';
import { type FittedInput, mapParts, type RuledCall, type VendorRules, type Violation } from './rule.ts';
import { changes, without, withoutNeutralSampling } from './sampling.ts';
import { sharedNameViolations } from './tool-names.ts';
import { toolResultViolations } from './tool-results.ts';
import { findPropertyName, fitToolParameters } from './tool-schema.ts';

/** Of the properties at the root of a tool's schema. */
const PROPERTY_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
const PARAMETERS = { takesAnyDraft: false, needsItems: false } as const;

const TOOL_NAME = { pattern: /^[a-zA-Z0-9_-]{1,128}$/, maxChars: 128 } as const;

export const LEAST_THINKING_TOKENS = 1_024;
/** The share of the output cap that thinking may take, where the caller has not set it: the answer needs the rest. */
export const MOST_OF_CAP = 0.8;
/** Lets thinking continue between calls of tools; then its budget may exceed `max_tokens`. */
const INTERLEAVED = /^interleaved-thinking-/;
const LEAST_TOP_P_WITH_THINKING = 0.95;
/** From Claude Opus 4.1 on. */
const ONE_OF_TEMPERATURE_AND_TOP_P = 41;

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;
const MIB = 1024 * 1024;
const MEDIA = { imageTypes: IMAGE_TYPES, images: 600, fileTypes: ['application/pdf'] } as const;
const IMAGE_CHARS = { 'anthropic-messages': 10 * MIB, bedrock: 5 * MIB } as const;

interface Thinking {
  readonly type?: unknown;
  readonly budget_tokens?: unknown;
}

const MOST_CACHE_MARKS = 4;

export const anthropicRules: VendorRules = {
  toolName: TOOL_NAME,
  *violations(call) {
    const { input, config } = call;
    yield* toolResultViolations(input.messages);
    yield* thinkingViolations(call);
    yield* samplingViolations(call);
    const imageChars = IMAGE_CHARS[config.wire === 'bedrock' ? 'bedrock' : 'anthropic-messages'];
    yield* mediaViolations(input.messages, { ...MEDIA, imageChars });
    yield* textViolations(input);
    yield* cacheMarkViolations(input);
    yield* toolViolations(call);
  },
  fit(call) {
    const { input, dropped } = fitSettings(call);
    const { tools, dropped: lost } = fitToolParameters(input.tools, PARAMETERS);
    const messages = withUniqueCallIds(fitContent(input.messages));
    return {
      input: { ...input, messages, ...(tools === undefined ? {} : { tools: tools.map(fitStrictTool) }) },
      dropped: [...dropped, ...lost],
    };
  },
};

function fitStrictTool<Own extends Tools[number]>(tool: Own): Own {
  if ('format' in tool || tool.strict !== true) return tool;
  return { ...tool, parameters: toStrictParameters(tool.parameters) };
}

function* textViolations({ system = '', messages, stop, output }: GenerationInput): Iterable<Violation> {
  if (stop?.some((own) => own.trim() === '') === true) {
    yield { field: 'stop', demand: 'must not be white space alone' };
  }
  if (system.trim() === '' && fitContent(messages).length === 0) {
    yield { field: 'input', demand: 'has no text but white space' };
  }
  const fault = output?.schema === undefined ? null : anthropicSchemaFault(output.schema);
  if (fault === null) return;
  const path = fault.path === '' ? '' : `at ${fault.path} `;
  yield { field: 'output.schema', demand: `${path}${fault.demand}` };
}

/** Source: "Prompt caching". */
function* cacheMarkViolations(input: GenerationInput): Iterable<Violation> {
  const marks = cacheMarksOf(input);
  if (marks.length > MOST_CACHE_MARKS) {
    yield { field: 'cache_control', demand: `can stand at most ${MOST_CACHE_MARKS} times` };
  }
  const isHour = marks.map(({ ttl }) => ttl === '1h');
  if (isHour.lastIndexOf(true) > isHour.indexOf(false) && isHour.includes(false)) {
    yield { field: 'cache_control', demand: 'with a ttl of 1h must stand before those of 5m' };
  }
}

function* toolViolations({ model, input }: RuledCall): Iterable<Violation> {
  if (refusesForcedTool(model) && forcesTool(input)) {
    yield { field: 'toolChoice (tool_choice)', demand: 'cannot force a tool at this model' };
  }
  yield* sharedNameViolations(input);
  for (const { name, parameters, strict } of functionTools(input.tools)) {
    const fault = strict === true ? openObjectFault(parameters) : null;
    if (fault === null) continue;
    const where = ['tools', name, 'parameters', fault.path].filter((own) => own !== '').join('.');
    yield { field: where, demand: `${fault.demand} in strict mode; set "strict": false for an open one` };
  }
  const found = findPropertyName(input.tools, PROPERTY_NAME);
  if (found === null) return;
  const demand = 'must be up to 64 letters, digits, underscores, dots and dashes';
  yield { field: `tools.${found.tool.name}.parameters.properties.${found.name}`, demand };
}

/** The vendor takes ids of this form only; the same id always maps to the same one. */
export function anthropicCallId(id: string): string {
  if (/^[a-zA-Z0-9_-]{1,256}$/.test(id)) return id;
  return `toolu_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

/** Text blocks need a character that is no white space, and the last turn of the assistant must not end in one. */
function fitContent(messages: readonly Message[]): readonly Message[] {
  return mapParts(messages, (part, { role, isLast }) => {
    if (part.type === 'tool-result') return withoutBlankTexts(part);
    if (part.type !== 'text') return part;
    const text = role === 'assistant' && isLast ? part.text.trimEnd() : part.text;
    if (text.trim() === '') return null;
    return text === part.text ? part : { ...part, text };
  });
}

function withoutBlankTexts(result: ToolResultPart): ToolResultPart {
  const { content } = result;
  if (typeof content === 'string') return result;
  const kept = content.filter((part) => part.type !== 'text' || part.text.trim() !== '');
  return kept.length === content.length ? result : { ...result, content: kept };
}

/** What its client set in this format; null for none. */
function ownThinking({ native }: GenerationInput): Thinking | null {
  if (native?.format !== 'anthropic-messages') return null;
  const thinking = native.fields['thinking'];
  const isOn =
    typeof thinking === 'object' && thinking !== null && (thinking as Thinking).type !== 'disabled';
  return isOn ? (thinking as Thinking) : null;
}

function* thinkingViolations({ model, input }: RuledCall): Iterable<Violation> {
  const thinking = ownThinking(input);
  if (thinking === null) return;
  if (thinking.type === 'enabled' && !refusesThinkingBudget(model))
    yield* budgetViolations(input, thinking.budget_tokens);
  const field = 'thinking';
  if (forcesTool(input)) yield { field, demand: 'cannot be combined with a tool_choice that forces a tool' };
  if (isPrefilled(input)) yield { field, demand: 'cannot be combined with a last turn of the assistant' };
}

function* budgetViolations(
  { capFrom, maxOutputTokens, native }: GenerationInput,
  budget: unknown,
): Iterable<Violation> {
  const field = 'thinking.budget_tokens';
  if (typeof budget !== 'number' || budget < LEAST_THINKING_TOKENS) {
    yield { field, demand: `must be at least ${LEAST_THINKING_TOKENS}` };
    return;
  }
  const isInterleaved = native?.betas?.some((beta) => INTERLEAVED.test(beta)) === true;
  if (budget >= maxOutputTokens && capFrom !== 'default' && !isInterleaved) {
    yield { field, demand: `must be less than max_tokens, which is ${maxOutputTokens}` };
  }
}

function* samplingViolations(call: RuledCall): Iterable<Violation> {
  const { input, facts } = call;
  const { temperature, topP, topK } = input;
  if (facts.capabilities.sampling === false && topK !== undefined) {
    yield { field: 'topK', demand: 'cannot be set at this model' };
  }
  if (temperature !== undefined && temperature > 1) {
    yield { field: 'temperature', demand: 'must be at most 1' };
  }
  if (ownThinking(input) === null && !(asksForThinking(input) && canThink(call))) return;
  if (changes(input, 'temperature')) {
    yield { field: 'temperature', demand: 'must be 1 while the model thinks' };
  }
  if (topK !== undefined) yield { field: 'topK', demand: 'cannot be set while the model thinks' };
  if (topP !== undefined && topP < LEAST_TOP_P_WITH_THINKING) {
    yield { field: 'topP', demand: `must be at least ${LEAST_TOP_P_WITH_THINKING} while the model thinks` };
  }
}

/** Of two settings that exclude each other, the one that is the less specific gives way, and the response says so. */
function fitSettings(call: RuledCall): FittedInput {
  const { model, input } = call;
  const dropped: string[] = [];
  let fitted = input;
  const version = claudeVersion(plainName(model)) ?? 0;
  if (
    version >= ONE_OF_TEMPERATURE_AND_TOP_P &&
    input.temperature !== undefined &&
    input.topP !== undefined
  ) {
    if (changes(input, 'topP')) dropped.push('top_p');
    fitted = without(fitted, 'topP');
  }
  if (asksForThinking(input) && !canThink(call)) {
    dropped.push('reasoning');
    fitted = without(fitted, 'reasoning');
  }
  if (input.reasoning?.effort === 'none' && alwaysThinks(model) && !thinksBetweenTools(model)) {
    dropped.push('reasoning');
  }
  if (call.facts.capabilities.sampling === false) fitted = withoutNeutralSampling(fitted);
  const own = fitOwnEffort(model, fitted);
  return { input: own.input, dropped: [...dropped, ...own.dropped] };
}

/** The effort that its client set in this format, at models that take no effort or not this one. */
function fitOwnEffort(model: string, input: GenerationInput): FittedInput {
  const { native } = input;
  const config = native?.format === 'anthropic-messages' ? native.fields['output_config'] : undefined;
  if (native === undefined || !isJsonObject(config)) return { input, dropped: [] };
  const { effort, ...others } = config;
  if (typeof effort !== 'string') return { input, dropped: [] };
  const taken = claudeEffort(model, effort as ReasoningEffort);
  if (taken === effort) return { input, dropped: [] };
  const { output_config: _, ...rest } = native.fields;
  const kept = taken === null ? others : { ...others, effort: taken };
  const fields = Object.keys(kept).length === 0 ? rest : { ...rest, output_config: kept };
  return { input: { ...input, native: { ...native, fields } }, dropped: ['output_config.effort'] };
}

function asksForThinking({ reasoning }: GenerationInput): boolean {
  return reasoning !== undefined && reasoning.thinks !== false && reasoning.effort !== 'none';
}

/** Whether an effort can become thinking. In its own format, the client's thinking decides. */
function canThink({ model, input }: RuledCall): boolean {
  if (ownThinking(input) !== null) return true;
  if (forcesTool(input) || isPrefilled(input)) return false;
  return choosesThinkingBudget(model) || input.maxOutputTokens * MOST_OF_CAP >= LEAST_THINKING_TOKENS;
}

function forcesTool({ toolChoice, tools }: GenerationInput): boolean {
  if (toolChoice === undefined || tools === undefined) return false;
  if (typeof toolChoice === 'string') return toolChoice === 'required';
  return 'name' in toolChoice || toolChoice.mode === 'required';
}

function isPrefilled({ messages }: GenerationInput): boolean {
  return messages.at(-1)?.role === 'assistant';
}
