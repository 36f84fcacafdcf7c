/** Refusals of an account or its quota, which no other request with the same key avoids; and what looks like them. */
import { error, github, type VendorErrorRow } from './vendor-error-row.ts';

const google = (code: number, message: string, status: string, details: readonly object[] = []) => ({
  error: { code, message, status, details },
});
const denied = (message: string, reason?: string) =>
  google(
    403,
    message,
    'PERMISSION_DENIED',
    reason === undefined ? [] : [{ reason, domain: 'googleapis.com' }],
  );

const GOOGLE_KEYS: readonly VendorErrorRow[] = [
  {
    source: github('songquanpeng/one-api/issues/1775'),
    body: denied("Permission denied: Consumer 'api_key:AIza' has been suspended.", 'CONSUMER_SUSPENDED'),
  },
  {
    source: github('tashfeenahmed/freellmapi/pull/285'),
    body: denied(
      'Generative Language API has not been used in project 1 before or it is disabled. Enable it and retry.',
      'SERVICE_DISABLED',
    ),
  },
  {
    source: github('poenl/gemini-api/issues/8'),
    body: denied('Your project has been denied access. Please contact support.'),
  },
  {
    source: github('google-gemini/gemini-cli/issues/19501'),
    body: denied(
      'This service has been disabled in this account for violation of Terms of\n\t\tService. If you',
    ),
  },
  {
    source: github('lbjlaq/Antigravity-Manager/issues/1653'),
    body: denied('Gemini has been disabled in this account for violation of Terms of Service.'),
  },
].map((row) => ({ vendor: 'Google', status: 403, code: 'provider_auth', concerns: 'key', ...row }) as const);

const EXCEEDED =
  'You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: ';

/** A limit of 0 has no room after the wait that stands beside it. */
const NO_ALLOWANCE: readonly VendorErrorRow[] = [
  {
    vendor: 'Google',
    source: github('continuedev/continue/issues/12744'),
    status: 429,
    body: google(429, `${EXCEEDED}0, model: gemini-3.1-pro\nPlease retry in 5.237s.`, 'RESOURCE_EXHAUSTED', [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '5s' },
    ]),
    code: 'provider_quota_exhausted',
    page: '429, a limit of 0: the account has no allowance for the model (Gemini)',
    wire: 'google',
  },
  {
    vendor: 'Google',
    source: github('continuedev/continue/issues/9570'),
    status: 429,
    body: [google(429, `${EXCEEDED}0, model: gemini-3-pro\nPlease retry in 45.578s.`, 'RESOURCE_EXHAUSTED')],
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Google',
    source: github('RooCodeInc/Roo-Code/issues/3883'),
    status: 429,
    body: google(429, `${EXCEEDED}05, model: gemini-2.5-flash`, 'RESOURCE_EXHAUSTED', [
      { violations: [{ quotaId: 'GenerateContentInputTokensPerModelPerMinute-FreeTier' }] },
      { retryDelay: '26s' },
    ]),
    code: 'provider_rate_limited',
    retryAfterMs: 26_000,
    wire: 'google',
  },
];

/** Callers choose the names of models, so a name that is wrong must cost no other caller the key. */
const MODELS: readonly VendorErrorRow[] = [
  {
    vendor: 'opencode Zen',
    source: github('anomalyco/opencode/issues/29568'),
    status: 401,
    body: {
      type: 'error',
      error: { type: 'ModelError', message: 'Model qwen3.7-max is not supported for format oa-compat' },
    },
    code: 'provider_model_not_found',
  },
  {
    vendor: 'sub2api',
    source: github('Wei-Shaw/sub2api/issues/7123'),
    status: 401,
    body: error('Model definitely-not-a-real-model-xyz is not supported'),
    code: 'provider_model_not_found',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Amazon Bedrock',
    source: github('langgenius/dify/issues/2829'),
    status: 403,
    body: { message: "You don't have access to the model with the specified model ID." },
    code: 'provider_model_not_found',
    page: '403, no access to the model (Bedrock)',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'OpenAI Codex',
    source: github('james-6-23/codex2api/issues/99'),
    status: 400,
    body: { detail: "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account." },
    code: 'provider_model_not_found',
  },
];

const QUOTAS: readonly VendorErrorRow[] = [
  {
    vendor: 'Kimi',
    source: github('openclaw/openclaw/pull/142656'),
    status: 403,
    body: error(
      "You've reached your weekly (7-day) usage limit. Your quota will reset when the current 7-day window ends. To continue now, purchase extra usage or upgrade your plan.",
      { type: 'access_terminated_error' },
    ),
    code: 'provider_quota_exhausted',
    page: '403, a limit of a week of a subscription (Kimi)',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Kimi',
    source: github('NousResearch/hermes-agent/issues/36276'),
    status: 429,
    body: error(
      "You've reached kimi monthly usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
    ),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'opencode Go',
    source: github('diegosouzapw/OmniRoute/issues/1772'),
    status: 429,
    body: error('Subscription quota exceeded. You can continue using free models.'),
    code: 'provider_quota_exhausted',
  },
  {
    vendor: 'Google',
    source: github('google-gemini/gemini-cli/issues/27761'),
    status: 429,
    body: google(
      429,
      'Individual quota reached. Contact your administrator to enable overages.',
      'RESOURCE_EXHAUSTED',
    ),
    code: 'provider_quota_exhausted',
    page: '429, the quota of the user is reached, without a reset (Gemini)',
    wire: 'google',
  },
  {
    vendor: 'Fireworks',
    source: github('pollinations/pollinations/issues/12136'),
    status: 412,
    body: error(
      'Account pollinations is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices. Please go to https://fireworks.ai/account/billing for more information.',
      { param: null, code: 'PRECONDITION_FAILED', type: 'error' },
    ),
    code: 'provider_quota_exhausted',
    page: '412, the account is suspended for its bills (Fireworks)',
  },
  {
    vendor: 'Amazon Bedrock',
    source: github('Tracer-Cloud/opensre/pull/1811'),
    status: 403,
    body: {
      message:
        'Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.',
    },
    code: 'provider_quota_exhausted',
    page: '403, no valid means of payment (Bedrock)',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Z.ai',
    source: github('experientiallabs/experiential/pull/958'),
    status: 429,
    body: error('Insufficient balance or no resource package. Please recharge.', { code: '1113' }),
    code: 'provider_quota_exhausted',
  },
];

/** Limits of a minute in the words of an empty account. */
const THROTTLES: readonly VendorErrorRow[] = [
  {
    vendor: 'Alibaba',
    source: github('openclaw/openclaw/issues/148236'),
    status: 429,
    body: error('Allocated quota exceeded, please increase your quota limit.', {
      code: 'insufficient_quota',
    }),
    code: 'provider_rate_limited',
    page: '429, a limit of a minute in the words of an empty account (Alibaba)',
  },
  {
    vendor: 'Alibaba',
    source: github('can1357/oh-my-pi/issues/8496'),
    status: 429,
    body: error(
      'You exceeded your current quota, please check your plan and billing details. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit',
      { type: 'insufficient_quota', code: 'insufficient_quota' },
    ),
    code: 'provider_rate_limited',
  },
  {
    vendor: 'Scaleway',
    source: github('LibreChat-AI/agents/issues/357'),
    status: 429,
    body: {
      status: 429,
      error: 'INSUFFICIENT QUOTA',
      message: 'You exceeded your current limit of concurrent requests.',
    },
    code: 'provider_rate_limited',
  },
  {
    vendor: 'opencode Zen',
    source: github('ENTERPILOT/GoModel/issues/605'),
    status: 400,
    body: error('Error from provider (Console Go): Upstream request failed', {
      type: 'invalid_request_error',
    }),
    code: 'provider_unavailable',
  },
  {
    vendor: 'opencode Zen',
    source: github('anomalyco/opencode/issues/39831'),
    status: 403,
    body: {
      model: 'gpt-5.6-luna',
      error: { param: null, message: 'Error from provider (Console): Upstream request failed' },
    },
    code: 'provider_unavailable',
  },
  {
    vendor: 'opencode Zen',
    source: github('anomalyco/opencode/issues/45755'),
    status: 403,
    body: error(
      'Error from provider (Console Go): Upstream request failed: [unsupported_country_region_territory] Country, region, or territory not supported',
    ),
    code: 'provider_bad_request',
  },
];

/** Limits of a day or a month, of which no vendor here says when they end. */
const DAYS: readonly VendorErrorRow[] = [
  {
    vendor: 'Amazon Bedrock',
    source: github('Ivy-Interactive/Ivy-Tendril/issues/1756'),
    status: 429,
    body: { message: 'Too many tokens per day, please wait before trying again.' },
    code: 'provider_rate_limited',
    retryAfterMs: 3_600_000,
    wire: 'anthropic-messages',
    page: '429, a limit of a day or a month without a wait (Bedrock, OpenRouter)',
  },
  {
    vendor: 'OpenRouter',
    source: github('Gitlawb/openclaude/issues/1549'),
    status: 429,
    body: error('Rate limit exceeded: free-models-per-day-high-balance.', {
      type: 'rate_limit_error',
      code: '429',
    }),
    code: 'provider_rate_limited',
    retryAfterMs: 3_600_000,
  },
  {
    vendor: 'Cohere',
    source: 'https://docs.cohere.com/v2/docs/rate-limits',
    status: 429,
    body: { message: 'You are using a Trial key, which is limited to 1000 API calls / month.' },
    code: 'provider_rate_limited',
    retryAfterMs: 3_600_000,
    wire: 'cohere',
  },
  {
    vendor: 'Cohere',
    source: 'https://docs.cohere.com/v2/docs/rate-limits',
    status: 429,
    body: { message: 'You are using a Trial key, which is limited to 20 API calls / minute.' },
    code: 'provider_rate_limited',
    wire: 'cohere',
  },
  {
    vendor: 'Groq',
    source: 'https://console.groq.com/docs/rate-limits',
    status: 429,
    body: error(
      'Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 99999. Please try again in 14m41s.',
      { code: 'rate_limit_exceeded' },
    ),
    code: 'provider_rate_limited',
    retryAfterMs: 881_000,
    page: '429, a limit of a day with its wait (Groq)',
  },
];

/** Accounts that may not use a model, or nothing at all. */
const ACCOUNTS: readonly VendorErrorRow[] = [
  {
    vendor: 'OpenAI',
    source: github('continuedev/continue/issues/8209'),
    status: 400,
    body: error(
      'Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.',
      { type: 'invalid_request_error', param: 'stream', code: 'unsupported_value' },
    ),
    code: 'provider_model_not_found',
    page: '400, the organization must be verified to use the model (OpenAI)',
  },
  {
    vendor: 'Amazon Bedrock',
    source: github('obot-platform/obot/issues/6747'),
    status: 404,
    body: {
      message:
        'Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model. If you have already filled out the form, try again in 15 minutes.',
    },
    code: 'provider_model_not_found',
    wire: 'anthropic-messages',
    page: '404, the account has not submitted its use case (Bedrock)',
  },
  {
    vendor: 'Groq',
    source: github('songquanpeng/one-api/issues/1764'),
    status: 400,
    body: error(
      'Organization has been restricted. Please reach out to support if you believe this was in error.',
      { type: 'invalid_request_error', code: 'organization_restricted' },
    ),
    code: 'provider_auth',
    concerns: 'key',
    page: '400, the organization is restricted (Groq) or disabled (Anthropic)',
  },
  {
    vendor: 'Alibaba',
    source: github('666ghj/BettaFish/issues/609'),
    status: 403,
    body: error(
      'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
      { type: 'AllocationQuota.FreeTierOnly', param: null, code: 'AllocationQuota.FreeTierOnly' },
    ),
    code: 'provider_quota_exhausted',
    page: '403, the free tier of the model is used up (Alibaba)',
  },
];

export const VENDOR_ACCOUNTS: readonly VendorErrorRow[] = [
  ...GOOGLE_KEYS.map((row): VendorErrorRow => ({ ...row, wire: 'google' })),
  ...GOOGLE_KEYS,
  ...NO_ALLOWANCE,
  ...MODELS,
  ...QUOTAS,
  ...THROTTLES,
  ...DAYS,
  ...ACCOUNTS,
  {
    vendor: 'Cohere',
    source: github('cohere-ai/cohere-developer-experience/pull/189'),
    status: 498,
    body: { message: 'Your request was blocked.' },
    code: 'content_filtered',
    wire: 'cohere',
  },
  {
    vendor: 'Cohere',
    source: github('cohere-ai/cohere-toolkit/issues/857'),
    status: 401,
    body: { message: 'invalid api token' },
    code: 'provider_auth',
    concerns: 'key',
    wire: 'cohere',
  },
];
