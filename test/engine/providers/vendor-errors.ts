/**
 * Errors as vendors send them, from public reports. Each row says what a caller must get from it. `concerns: 'key'`:
 * other callers skip the key; absent: they do not notice.
 */
import { error, github, type VendorErrorRow } from './vendor-error-row.ts';

const RATE_LIMITS: readonly VendorErrorRow[] = [
  {
    vendor: 'Groq',
    source: github('continuedev/continue/issues/10920'),
    status: 429,
    body: error(
      'Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_1` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s. Need more tokens? Upgrade to Dev Tier today',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    code: 'provider_rate_limited',
    retryAfterMs: 578_016,
  },
  {
    vendor: 'OpenAI',
    source: github('semanser/codel/issues/72'),
    status: 429,
    body: error(
      'Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 14567, Requested 24754. Please try again in 18.642s. Visit https://platform.openai.com/account/rate-limits to learn more.',
      { type: 'tokens', param: null, code: 'rate_limit_exceeded' },
    ),
    code: 'provider_rate_limited',
    retryAfterMs: 18_642,
  },
  {
    vendor: 'Azure OpenAI',
    source: github('microsoft/sample-app-aoai-chatGPT/issues/406'),
    status: 429,
    body: error(
      'Requests to the Creates a completion for the chat message Operation under Azure OpenAI API version 2023-03-15-preview have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 9 seconds.',
      { code: '429' },
    ),
    code: 'provider_rate_limited',
    retryAfterMs: 9_000,
  },
  {
    vendor: 'Azure OpenAI',
    source: github('microsoft/copilot-camp/issues/551'),
    status: 429,
    headers: { 'x-ratelimit-remaining-requests': '7', 'x-ratelimit-remaining-tokens': '1014' },
    body: error('Rate limit is exceeded. Try again in 2 seconds.', { code: '429' }),
    code: 'provider_rate_limited',
    retryAfterMs: 2_000,
  },
  {
    vendor: 'Amazon Bedrock',
    source: github('RooCodeInc/Roo-Code/issues/5050'),
    status: 429,
    body: { message: 'Too many tokens, please wait before trying again.' },
    code: 'provider_rate_limited',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Amazon Bedrock',
    source: github('minorun365/agent-book/issues/29'),
    status: 429,
    body: { message: 'Too many tokens per day, please wait before trying again.' },
    code: 'provider_rate_limited',
    retryAfterMs: 3_600_000,
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Anthropic',
    source: github('SakanaAI/AI-Scientist/issues/115'),
    status: 429,
    headers: { 'retry-after': '30' },
    body: {
      type: 'error',
      error: {
        type: 'rate_limit_error',
        message:
          'Number of request tokens has exceeded your daily rate limit (https://docs.anthropic.com/en/api/rate-limits); see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.',
      },
    },
    code: 'provider_rate_limited',
    retryAfterMs: 30_000,
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Google',
    source: github('google-gemini/gemini-cli/issues/13004'),
    status: 429,
    body: {
      error: {
        code: 429,
        message: 'You have exhausted your capacity on this model. Your quota will reset after 8h44m7s.',
        status: 'RESOURCE_EXHAUSTED',
      },
    },
    code: 'provider_rate_limited',
    retryAfterMs: 31_447_000,
    wire: 'google',
  },
  {
    vendor: 'Mistral',
    source: github('cline/cline/issues/9085'),
    status: 429,
    body: {
      object: 'error',
      message: 'Rate limit exceeded',
      type: 'rate_limited',
      param: null,
      code: '1300',
    },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Mistral',
    source: github('continuedev/continue/issues/6185'),
    status: 429,
    body: {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'invalid_request_error',
      param: null,
      code: null,
    },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Cerebras',
    source: github('nminaya/grammar-nazi-bot/issues/958'),
    status: 429,
    body: {
      message: 'Requests per minute limit exceeded - too many requests sent.',
      type: 'too_many_requests_error',
      param: 'quota',
      code: 'request_quota_exceeded',
    },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Cerebras',
    source: github('continuedev/continue/issues/9800'),
    status: 429,
    body: {
      message: 'Tokens per minute limit exceeded - too many tokens processed.',
      type: 'too_many_tokens_error',
      param: 'quota',
      code: 'token_quota_exceeded',
    },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Ollama (cloud)',
    source: github('continuedev/continue/issues/9233'),
    status: 429,
    body: { error: "you've reached your hourly usage limit, please wait or upgrade to continue" },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'DeepInfra',
    source: github('truefoundry/models/pull/862'),
    status: 429,
    body: error('Model busy, retry later'),
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Moonshot',
    source: github('MoonshotAI/kimi-cli/issues/901'),
    status: 429,
    body: error("We're receiving too many requests at the moment. Please wait a moment and try again.", {
      type: 'rate_limit_reached_error',
    }),
    code: 'provider_rate_limited',
  },
];

const USAGE_WINDOWS: readonly VendorErrorRow[] = [
  {
    vendor: 'MiniMax',
    source: github('MiniMax-AI/MiniMax-M2.7/issues/36'),
    status: 429,
    body: {
      type: 'error',
      error: {
        type: 'rate_limit_error',
        message:
          'usage limit exceeded, 5-hour usage limit reached for Token Plan Starter (0/0 used), resets at 2026-05-15T15:00:00Z (2056)',
      },
    },
    code: 'provider_rate_limited',
    wire: 'anthropic-messages',
  },
];

const OVERLOADS: readonly VendorErrorRow[] = [
  {
    vendor: 'Moonshot',
    source: github('MoonshotAI/kimi-cli/issues/2571'),
    status: 429,
    body: error('The engine is currently overloaded, please try again later', {
      type: 'engine_overloaded_error',
    }),
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Google',
    source: github('google-gemini/gemini-cli/issues/23520'),
    status: 503,
    body: {
      error: {
        code: 503,
        message: 'No capacity available for model on the server',
        status: 'UNAVAILABLE',
        details: [{ reason: 'MODEL_CAPACITY_EXHAUSTED', domain: 'cloudcode-pa.googleapis.com' }],
      },
    },
    code: 'provider_unavailable',
    wire: 'google',
  },
  {
    vendor: 'Mistral',
    source: github('BerriAI/litellm/pull/25078'),
    status: 503,
    body: { object: 'error', message: 'Service tier capacity exceeded for this model.', type: 'unavailable' },
    code: 'provider_unavailable',
  },
  {
    vendor: 'Anthropic',
    source: github('cline/cline/issues/52'),
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    code: 'provider_unavailable',
    wire: 'anthropic-messages',
  },
];

const QUOTAS: readonly VendorErrorRow[] = [
  {
    vendor: 'Cloudflare',
    source: github('diegosouzapw/OmniRoute/issues/6980'),
    status: 429,
    body: {
      errors: [
        {
          message:
            "AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan",
          code: 4006,
        },
      ],
      success: false,
      result: {},
      messages: [],
    },
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'OpenRouter',
    source: github('Gitlawb/openclaude/issues/1125'),
    status: 402,
    body: error(
      'This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 27342.',
      { code: 402, metadata: { provider_name: null } },
    ),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'DeepSeek',
    source: github('666ghj/BettaFish/issues/286'),
    status: 402,
    body: error('Insufficient Balance', {
      type: 'unknown_error',
      param: null,
      code: 'invalid_request_error',
    }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Moonshot',
    source: github('MoonshotAI/Kimi-K2/issues/5'),
    status: 403,
    body: error(
      'Your account org-1 is not active, organization org-1 exceeded current quota, please check your plan and billing details',
      { type: 'exceeded_current_quota_error' },
    ),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Moonshot',
    source: github('anomalyco/opencode/issues/24462'),
    status: 429,
    body: error(
      'Your account org-1 is suspended due to insufficient balance, please recharge your account or check your plan and billing details',
      { type: 'exceeded_current_quota_error' },
    ),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Z.ai',
    source: github('zai-org/GLM-5/issues/148'),
    status: 429,
    body: error('Insufficient balance or no resource package. Please recharge.', { code: '1113' }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Zhipu',
    source: github('zhayujie/CowAgent/issues/2910'),
    status: 429,
    body: error('余额不足或无可用资源包,请充值。', { code: '1113' }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Zhipu',
    source: github('langgenius/dify/issues/5850'),
    status: 429,
    body: error('您的账户已欠费，请充值后重试。', { code: '1113' }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'xAI',
    source: github('continuedev/continue/issues/10740'),
    status: 429,
    body: {
      code: 'Some resource has been exhausted',
      error:
        'Your team c03b has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.',
    },
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'MiniMax',
    source: github('MiniMax-AI/MiniMax-M2/issues/62'),
    status: 500,
    body: { type: 'error', error: { type: 'api_error', message: 'insufficient balance (1008)' } },
    code: 'provider_quota_exhausted',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'ModelScope',
    source: github('modelscope/modelscope/issues/1691'),
    status: 429,
    body: error('insufficient balance (1008)', { http_code: '429', type: 'insufficient_balance_error' }),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'SiliconFlow',
    source: github('FoundationAgents/OpenManus/issues/438'),
    status: 403,
    body: {
      code: 30011,
      message:
        'The selected model requires paid balance. Your paid balance is insufficient. Please top up and try again.',
      data: null,
    },
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'sub2api',
    source: github('Wei-Shaw/sub2api/issues/890'),
    status: 403,
    body: { code: 'INSUFFICIENT_BALANCE', message: 'Insufficient account balance' },
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'opencode Zen',
    source: github('TiaraBasori/OpenCode2API/issues/5'),
    status: 401,
    body: { message: 'Insufficient balance. Manage your billing here.', type: 'CreditsError', code: null },
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Anthropic',
    source: github('anthropics/claude-code/issues/66314'),
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      },
    },
    code: 'provider_quota_exhausted',
    wire: 'anthropic-messages',
  },
];

export const VENDOR_ERRORS: readonly VendorErrorRow[] = [
  ...RATE_LIMITS,
  ...USAGE_WINDOWS,
  ...OVERLOADS,
  ...QUOTAS,
];
