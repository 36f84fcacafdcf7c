/** What vendors of OpenAI's format other than OpenAI refuse. The name of the model says which of them is simulated. */
import { type Fields, fieldsOf, isSet, objectsOf, textOf } from './json-values.ts';
import type { Problem, Rule, VendorRequest } from './rule.ts';

const DEEPSEEK = /deepseek/;
const MISTRAL = /mistral|ministral|devstral|codestral/;
const PERPLEXITY = /^sonar/;
const QWEN = /qwen3\.[5-9]/i;
/** Groq and Cerebras serve the same models. */
const STRICT_HOSTS = /^(openai\/)?gpt-oss|^llama-3\.[13]-|^llama3\.1/;
const ONE_CALL = /^o\d/;
const FIXED_EFFORT = /^grok-(4|code)|^codestral-/;
/** They think where a request says nothing of it. */
const THINKS = /deepseek-v[4-9]|kimi-k2\.[5-9]/;

/** Fields of a message at the hosts that take no others. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'name', 'tool_calls'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
};
/** Which roles may follow one, after mistral-common. */
const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  system: ['user', 'assistant', 'system'],
  user: ['assistant', 'system', 'user'],
  assistant: ['assistant', 'user', 'tool'],
  tool: ['assistant', 'tool'],
};

function isOf(vendor: RegExp, { body }: VendorRequest): boolean {
  return vendor.test(textOf(body['model']));
}

function messagesOf({ body }: VendorRequest): readonly (Fields & { readonly role: string })[] {
  return objectsOf(body['messages']).map((message) => ({ ...message, role: textOf(message['role']) }));
}

function wrongRole(request: VendorRequest): Problem | null {
  if (![DEEPSEEK, MISTRAL, PERPLEXITY, QWEN, STRICT_HOSTS].some((vendor) => isOf(vendor, request)))
    return null;
  const place = messagesOf(request).findIndex(({ role }) => KNOWN[role] === undefined);
  if (place < 0) return null;
  const expected = 'expected one of `system`, `user`, `assistant`, `tool`';
  const role = messagesOf(request)[place]?.role;
  return {
    message: `Failed to deserialize the JSON body into the target type: messages[${place}].role: unknown variant \`${role}\`, ${expected}`,
  };
}

function wrongFields(request: VendorRequest): Problem | null {
  if (!isOf(STRICT_HOSTS, request)) return null;
  for (const [place, message] of messagesOf(request).entries()) {
    const known = KNOWN[message.role] ?? [];
    const unknown = [
      ...Object.keys(message).filter((name) => !known.includes(name)),
      ...objectsOf(message['content']).flatMap((part) => ('cache_control' in part ? ['cache_control'] : [])),
    ];
    const [first] = unknown;
    if (first === undefined) continue;
    const rule = `('messages.${place}' : property '${first}' is unsupported)`;
    return {
      message: `'messages.${place}' : for 'role:${message.role}' the following must be satisfied[${rule}]`,
    };
  }
  const own = ['reasoning', 'thinking', 'prompt_cache_key'].find((name) => isSet(request.body[name]));
  return own === undefined ? null : { message: `property '${own}' is unsupported` };
}

function wrongOrder(request: VendorRequest): Problem | null {
  const roles = messagesOf(request).map(({ role }) => role);
  for (const [place, role] of roles.entries()) {
    const before = roles[place - 1];
    if (before === undefined) continue;
    if (isOf(MISTRAL, request) && FOLLOWS[before]?.includes(role) === false) {
      return { message: `Unexpected role '${role}' after role '${before}'`, code: '3230' };
    }
    if (isOf(QWEN, request) && role === 'system') {
      return { message: 'System message must be at the beginning.' };
    }
  }
  const turns = roles.slice(roles.findIndex((role) => role !== 'system'));
  const isAlternating = turns.every((role, place) => (role === 'assistant') === (place % 2 === 1));
  if (!isOf(PERPLEXITY, request) || isAlternating) return null;
  return {
    message:
      'After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).',
  };
}

function wrongSwitches(request: VendorRequest): Problem | null {
  const { body } = request;
  if (isOf(ONE_CALL, request) && isSet(body['parallel_tool_calls'])) {
    const message = "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.";
    return { message, param: 'parallel_tool_calls', code: 'unsupported_parameter' };
  }
  const effort = body['reasoning_effort'] ?? fieldsOf(body['reasoning'])['effort'];
  return isOf(FIXED_EFFORT, request) && isSet(effort)
    ? { message: `Model ${body['model']} does not support parameter reasoningEffort.` }
    : null;
}

function wrongChoice(request: VendorRequest): Problem | null {
  const { tool_choice: choice, thinking } = request.body;
  const isForced = choice === 'required' || typeof choice === 'object';
  const isOff = fieldsOf(thinking)['type'] === 'disabled';
  if (!isOf(THINKS, request) || !isSet(choice) || !isForced || isOff) return null;
  return isOf(DEEPSEEK, request)
    ? { message: 'Thinking mode does not support this tool_choice' }
    : { message: "tool_choice 'required' is incompatible with thinking enabled" };
}

export const CHAT_SERVER_RULES: readonly Rule[] = [
  { name: 'roles', source: 'https://github.com/earendil-works/pi/issues/1048', find: wrongRole },
  {
    name: 'fields of messages',
    source: 'https://github.com/tashfeenahmed/freellmapi/issues/1070',
    find: wrongFields,
  },
  {
    name: 'the order of messages',
    // Also perplexityai/api-discussion#265 and vllm-project/vllm#41114.
    source: 'https://github.com/NousResearch/hermes-agent/issues/20154',
    find: wrongOrder,
  },
  {
    name: 'switches that a model lacks',
    // Also BerriAI/litellm PR 16265.
    source: 'https://github.com/langchain-ai/langchain/issues/29704',
    find: wrongSwitches,
  },
  {
    name: 'choices of tools while the model thinks',
    // Also can1357/oh-my-pi#1077.
    source: 'https://github.com/deepseek-ai/DeepSeek-V3/issues/1376',
    find: wrongChoice,
  },
];
