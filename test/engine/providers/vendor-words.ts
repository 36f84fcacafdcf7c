/** Errors whose status says little or the wrong thing: only the vendor's words tell what they are. */
import { error, github, type VendorErrorRow } from './vendor-error-row.ts';

const invalid = { type: 'invalid_request_error', param: null, code: 'invalid_request_error' };
const anthropic = (message: string) => ({
  type: 'error',
  ...error(message, { type: 'invalid_request_error' }),
});

const TOO_LONG: readonly VendorErrorRow[] = [
  {
    vendor: 'Anthropic',
    source: github('openclaw/openclaw/pull/7279'),
    status: 400,
    body: anthropic(
      'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again',
    ),
    code: 'context_length_exceeded',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Moonshot',
    source: github('MoonshotAI/kimi-code/pull/207'),
    status: 400,
    body: error('Invalid request: Your request exceeded model token limit: 262144', invalid),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'GitHub Copilot',
    source: github('microsoft/vscode-copilot-release/issues/6700'),
    status: 400,
    body: error('prompt token count of 65446 exceeds the limit of 64000', { param: '', code: '', type: '' }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'vLLM',
    source: github('vllm-project/vllm'),
    status: 400,
    body: {
      object: 'error',
      message: 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
      type: 'BadRequestError',
      code: 400,
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'vMLX',
    source: github('jjang-ai/vmlx/issues/254'),
    status: 400,
    body: error(
      'prompt_too_long: tokenized VLM text prompt has 20771 tokens, max prompt/context tokens is 20119',
    ),
    code: 'context_length_exceeded',
  },
];

const CONTENT: readonly VendorErrorRow[] = [
  {
    vendor: 'DeepSeek',
    source: github('NousResearch/hermes-agent/issues/115218'),
    status: 400,
    body: error('Content Exists Risk', invalid),
    code: 'content_filtered',
  },
  {
    vendor: 'Anthropic',
    source: github('anthropics/claude-code/issues/46546'),
    status: 400,
    body: anthropic('Output blocked by content filtering policy'),
    code: 'content_filtered',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'OpenAI',
    source: 'https://developers.openai.com/api/docs/guides/reasoning',
    status: 400,
    body: error(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.',
      { type: 'invalid_request_error', param: null, code: 'invalid_prompt' },
    ),
    code: 'content_filtered',
  },
  {
    vendor: 'MiniMax',
    source: 'https://platform.minimax.io/docs/api-reference/errorcode',
    status: 500,
    body: { type: 'error', error: { type: 'api_error', message: 'input new_sensitive (1026)' } },
    code: 'content_filtered',
    wire: 'anthropic-messages',
  },
];

const QUOTAS: readonly VendorErrorRow[] = [
  {
    vendor: 'Anthropic',
    source: github('laravel/ai/pull/864'),
    status: 400,
    body: anthropic(
      'You have reached your specified API usage limits. You will regain access on 2026-05-01 at 00:00 UTC.',
    ),
    code: 'provider_quota_exhausted',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'OpenAI',
    source: github('lifan0127/ai-research-assistant/issues/174'),
    status: 429,
    body: error('Your account is not active, please check your billing details on our website.', {
      type: 'billing_not_active',
      param: null,
      code: 'billing_not_active',
    }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'one-api',
    source: github('songquanpeng/one-api/issues/1270'),
    status: 403,
    body: error('user quota is not enough (request id: 1)', {
      type: 'one_api_error',
      param: '',
      code: 'insufficient_user_quota',
    }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'new-api',
    source: github('QuantumNous/new-api/issues/7448'),
    status: 403,
    body: error('用户额度不足, 剩余额度: ＄-0.01', { type: 'new_api_error', param: '', code: '' }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'LiteLLM',
    source: 'https://docs.litellm.ai/docs/proxy/users',
    status: 400,
    body: error('Budget has been exceeded! Current cost: 10.1, Max budget: 10.0', {
      type: 'budget_exceeded',
      param: null,
      code: '400',
    }),
    code: 'provider_quota_exhausted',
  },
];

const KEYS: readonly VendorErrorRow[] = [
  {
    vendor: 'xAI',
    source: github('continuedev/continue/issues/10778'),
    status: 400,
    body: {
      code: 'Client specified an invalid argument',
      error: 'Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai.',
    },
    code: 'provider_auth',
    concerns: 'key',
  },
  {
    vendor: 'Anthropic',
    source: github('anthropics/claude-code/issues/8327'),
    status: 400,
    body: anthropic('This organization has been disabled.'),
    code: 'provider_auth',
    concerns: 'key',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Anthropic',
    source: github('manaflow-ai/subrouter/pull/54'),
    status: 403,
    body: {
      type: 'error',
      error: {
        type: 'permission_error',
        message: 'OAuth authentication is currently not allowed for this organization.',
      },
    },
    code: 'provider_auth',
    wire: 'anthropic-messages',
  },
];

const MODELS: readonly VendorErrorRow[] = [
  {
    vendor: 'Groq',
    source: github('valentinfrlch/ha-llmvision/issues/324'),
    status: 400,
    body: error(
      'The model `llama-3.2-11b-vision-preview` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use instead.',
      { type: 'invalid_request_error', code: 'model_decommissioned' },
    ),
    code: 'provider_model_not_found',
  },
  {
    vendor: 'Azure OpenAI',
    source: 'https://learn.microsoft.com/azure/ai-foundry/openai/concepts/model-retirements',
    status: 410,
    body: error('The model version of this deployment is retired.', { code: 'ModelDeprecated' }),
    code: 'provider_model_not_found',
  },
];

export const VENDOR_WORDS: readonly VendorErrorRow[] = [
  ...TOO_LONG,
  ...CONTENT,
  ...QUOTAS,
  ...KEYS,
  ...MODELS,
];
