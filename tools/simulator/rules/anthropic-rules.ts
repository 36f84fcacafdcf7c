/** What Anthropic's Messages API refuses in a request as a whole. */
import {
  ANTHROPIC_CONVERSATION_RULES,
  ANTHROPIC_DOCS as DOCS,
  isThinking,
  thinkingTypeOf,
} from './anthropic-conversation-rules.ts';
import { inAnthropicWords } from './anthropic-words.ts';
import { checkTypes, type ObjectShape, readTypes } from './check-types.ts';
import { hasFixedSampling, hasOneSamplingParameter, mostOutputTokens } from './claude-models.ts';
import { type Fields, fieldsOf, hasLoneSurrogate, isSet, objectsOf, textOf } from './json-values.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';
import { anthropicSchemaProblem } from './strict-schemas.ts';
import { anthropicToolProblem } from './tool-schemas.ts';

const STABLE = readTypes('anthropic');
const BETA = readTypes('anthropic-beta');
/** The version of the API before sampling parameters were removed. */
const SAMPLING_VERSION = '2023-06-01';
const SAMPLING: ObjectShape = { 'temperature?': 'number', 'top_p?': 'number', 'top_k?': 'number' };

const NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const MOST_MARKS = 4;
const LEAST_BUDGET = 1_024;

function wrongTypes({ headers, path, body }: VendorRequest): Problem | null {
  const isBeta = headers['anthropic-beta'] !== undefined || path.includes('beta=true');
  const samples = headers['anthropic-version'] === SAMPLING_VERSION;
  const options = samples ? { more: { MessageCreateParamsBase: SAMPLING } } : {};
  const problem = checkTypes(isBeta ? BETA : STABLE, body, options);
  return problem === null ? null : inAnthropicWords(problem, body);
}

function wrongTokens({ body }: VendorRequest): Problem | null {
  const { max_tokens, model } = body;
  const least = body['stream'] === true ? 1 : 0;
  if (!Number.isInteger(max_tokens)) return { message: 'max_tokens: Input should be a valid integer' };
  if (Number(max_tokens) < least) {
    return { message: `max_tokens: Input should be greater than or equal to ${least}` };
  }
  const most = mostOutputTokens(String(model));
  if (most === null || Number(max_tokens) <= most) return null;
  const limit = `which is the maximum allowed number of output tokens for ${model}`;
  return { message: `max_tokens: ${max_tokens} > ${most}, ${limit}` };
}

function wrongThinking({ body }: VendorRequest): Problem | null {
  if (!isThinking(body)) return null;
  const { budget_tokens: budget } = fieldsOf(body['thinking']);
  const isByBudget = thinkingTypeOf(body) === 'enabled';
  if (isByBudget && hasFixedSampling(String(body['model']))) {
    const use = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
    return { message: `"thinking.type.enabled" is not supported for this model. ${use}` };
  }
  if (isByBudget && Number(budget) < LEAST_BUDGET) {
    return {
      message: `thinking.enabled.budget_tokens: Input should be greater than or equal to ${LEAST_BUDGET}`,
    };
  }
  if (isByBudget && Number(budget) >= Number(body['max_tokens'])) {
    return { message: '`max_tokens` must be greater than `thinking.budget_tokens`.' };
  }
  if (['any', 'tool'].includes(textOf(fieldsOf(body['tool_choice'])['type']))) {
    return { message: 'Thinking may not be enabled when tool_choice forces tool use.' };
  }
  if (isSet(body['temperature']) && body['temperature'] !== 1) {
    return { message: '`temperature` may only be set to 1 when thinking is enabled.' };
  }
  if (isSet(body['top_k'])) return { message: '`top_k` must be unset when thinking is enabled.' };
  const topP = body['top_p'];
  return isSet(topP) && Number(topP) < 0.95
    ? { message: '`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.' }
    : null;
}

function wrongSampling({ body }: VendorRequest): Problem | null {
  const model = String(body['model']);
  const set = ['temperature', 'top_p', 'top_k'].filter((name) => isSet(body[name]));
  const [first] = set;
  if (first !== undefined && hasFixedSampling(model)) {
    return { message: `\`${first}\` is not supported for this model.` };
  }
  if (set.includes('temperature') && set.includes('top_p') && hasOneSamplingParameter(model)) {
    return {
      message: '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    };
  }
  for (const name of ['temperature', 'top_p']) {
    const value = Number(body[name] ?? 0);
    if (value < 0 || value > 1) return { message: `${name}: range: 0..1` };
  }
  return Number(body['top_k'] ?? 0) < 0
    ? { message: 'top_k: Input should be greater than or equal to 0' }
    : null;
}

function wrongTools({ body }: VendorRequest): Problem | null {
  const tools = objectsOf(body['tools']);
  const names = tools.map(({ name }) => textOf(name));
  const wrong = tools.findIndex(({ name }) => name !== undefined && !NAME.test(textOf(name)));
  if (wrong >= 0) {
    return { message: `tools.${wrong}.custom.name: String should match pattern '${NAME.source}'` };
  }
  const named = names.filter((name) => name !== '');
  if (new Set(named).size < named.length) return { message: 'tools: Tool names must be unique.' };
  const choice = fieldsOf(body['tool_choice']);
  if (choice['type'] !== undefined && tools.length === 0) {
    return { message: 'tool_choice: tool_choice may only be specified while providing tools.' };
  }
  if (choice['type'] === 'tool' && !names.includes(textOf(choice['name']))) {
    return { message: `Tool '${choice['name']}' not found in provided tools` };
  }
  return null;
}

function wrongSchemas({ body }: VendorRequest): Problem | null {
  const format = fieldsOf(fieldsOf(body['output_config'])['format']);
  const problem = format['schema'] === undefined ? null : anthropicSchemaProblem(format['schema']);
  if (problem !== null) return { message: `output_config.format.schema: ${problem}` };
  return firstProblem(objectsOf(body['tools']).entries(), ([index, { strict, input_schema }]) => {
    const found = strict === true ? anthropicSchemaProblem(input_schema) : null;
    if (found !== null) return { message: `tools.${index}.custom: ${found}` };
    const problem = input_schema === undefined ? null : anthropicToolProblem(input_schema);
    return problem === null ? null : { message: `tools.${index}.custom.input_schema${problem}` };
  });
}

function marksIn(value: unknown): Fields[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, own]) =>
    name === 'cache_control' && isSet(own) ? [fieldsOf(own)] : name === 'input_schema' ? [] : marksIn(own),
  );
}

/** In the order in which the vendor caches. */
function wrongMarks({ body }: VendorRequest): Problem | null {
  const { tools, system, messages, ...rest } = body;
  const marks = [tools, system, messages, rest].flatMap(marksIn);
  if (marks.length > MOST_MARKS) {
    return { message: `A maximum of 4 blocks with cache_control may be provided. Found ${marks.length}.` };
  }
  const times = marks.map(({ ttl }) => ttl ?? '5m');
  const short = times.indexOf('5m');
  return short >= 0 && times.lastIndexOf('1h') > short
    ? { message: "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block." }
    : null;
}

function wrongStops({ body }: VendorRequest): Problem | null {
  const stops = Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : [];
  return stops.some((stop) => textOf(stop).trim() === '')
    ? { message: 'stop_sequences: each stop sequence must contain non-whitespace' }
    : null;
}

export const ANTHROPIC_RULES: readonly Rule[] = [
  {
    name: 'the version of the API is named',
    source: `${DOCS}/api/versioning`,
    find: ({ headers }) =>
      headers['anthropic-version'] === undefined
        ? { message: 'anthropic-version: header is required' }
        : null,
  },
  {
    name: 'text is well-formed Unicode',
    source: 'https://github.com/anthropics/claude-code/issues/1709',
    find: ({ body }) =>
      hasLoneSurrogate(body)
        ? {
            message:
              'The request body is not valid JSON: no low surrogate in string: line 1 column 1 (char 0)',
          }
        : null,
  },
  { name: 'fields and their types', source: `${DOCS}/api/messages/create`, find: wrongTypes },
  { name: 'the cap of tokens', source: `${DOCS}/about-claude/models/overview`, find: wrongTokens },
  { name: 'thinking', source: `${DOCS}/build-with-claude/extended-thinking`, find: wrongThinking },
  { name: 'sampling', source: `${DOCS}/about-claude/models/migration-guide`, find: wrongSampling },
  { name: 'tools', source: `${DOCS}/agents-and-tools/tool-use/implement-tool-use`, find: wrongTools },
  { name: 'schemas', source: `${DOCS}/build-with-claude/structured-outputs`, find: wrongSchemas },
  { name: 'cache marks', source: `${DOCS}/build-with-claude/prompt-caching`, find: wrongMarks },
  { name: 'stop sequences', source: `${DOCS}/api/messages/create`, find: wrongStops },
  ...ANTHROPIC_CONVERSATION_RULES,
];
