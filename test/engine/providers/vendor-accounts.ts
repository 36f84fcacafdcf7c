/** Refusals of an account or its quota, which no other request with the same key avoids; and what looks like them. */
import { github, type VendorErrorRow } from './vendor-error-row.ts';

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

export const VENDOR_ACCOUNTS: readonly VendorErrorRow[] = [
  ...GOOGLE_KEYS.map((row): VendorErrorRow => ({ ...row, wire: 'google' })),
  ...GOOGLE_KEYS,
  ...NO_ALLOWANCE,
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
