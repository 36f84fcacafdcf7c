/** Odd errors of servers that speak chat completions. */
import { DONE, events, github, JSON_TYPE, type OddAnswer } from './odd-answer.ts';
import { end, hi, CHAT as wire } from './odd-chunks.ts';

const ERRORS: readonly OddAnswer[] = [
  {
    says: "vLLM's error in a stream",
    source: github('vllm-project/vllm/pull/40986'),
    wire,
    body: events(
      {
        object: 'error',
        message: 'This model takes no tools.',
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
      DONE,
    ),
    code: 'provider_bad_request',
    words: 'This model takes no tools.',
  },
  {
    says: 'an error under other names',
    source: github('NousResearch/hermes-agent/pull/65643'),
    wire,
    body: events({
      choices: null,
      error_type: 'BadRequestError',
      error_message: "This model's maximum context length is 8192 tokens.",
      error_code: 400,
    }),
    code: 'context_length_exceeded',
    words: 'maximum context length',
  },
  {
    says: "MiniMax's error in a stream",
    source: github('MiniMax-AI/MiniMax-M2/issues/62'),
    wire,
    body: events(hi, { choices: null, base_resp: { status_code: 1002, status_msg: 'rate limit exceeded' } }),
    text: 'Hi',
    code: 'provider_rate_limited',
  },
  {
    says: 'an error event with words only',
    source: github('lmstudio-ai/lmstudio-bug-tracker/issues/2322'),
    wire,
    body: 'event: error\ndata: The model has crashed.\n\n',
    code: 'provider_unavailable',
    words: 'The model has crashed.',
  },
  {
    says: 'an error as a field of the stream, and as JSON within it',
    source: github('ggml-org/llama.cpp/issues/20198'),
    wire,
    body: `${events(hi)}error: {"code":500,"message":"The context is full.","type":"server_error"}\n\n`,
    text: 'Hi',
    code: 'provider_unavailable',
    words: 'The context is full.',
  },
  {
    says: 'an error that is no event',
    source: github('gumieri/nenya/issues/17'),
    wire,
    body: `${events(hi)}{"error":{"code":429,"message":"Slow down."}}\n`,
    text: 'Hi',
    code: 'provider_rate_limited',
    words: 'Slow down.',
  },
  {
    says: 'an error without a field for it, as JSON in place of a stream',
    source: github('XpressAI/xaibo/pull/36'),
    wire,
    type: JSON_TYPE,
    body: JSON.stringify({ code: 'rate_limit_daily', message: 'The limit of the day is reached.' }),
    code: 'provider_rate_limited',
    words: 'The limit of the day is reached.',
  },
  {
    says: 'an empty field for errors',
    source: github('BerriAI/litellm/issues/40578'),
    wire,
    body: events({ ...hi, error: {} }, { ...end, error: null }),
    text: 'Hi',
    reason: 'stop',
  },
];

const JSON_ERROR = { wire, type: JSON_TYPE } as const;
const page = (title: string) =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><a>Privacy Policy</a></body></html>`;

const STATUSES: readonly OddAnswer[] = [
  {
    ...JSON_ERROR,
    says: '498, no capacity (Groq)',
    source: 'https://console.groq.com/docs/flex-processing',
    status: 498,
    body: JSON.stringify({ error: { message: 'Flex tier capacity exceeded.', code: 'capacity_exceeded' } }),
    code: 'provider_unavailable',
  },
  {
    ...JSON_ERROR,
    says: '499, cancelled, but not by us (Gemini)',
    source: 'https://console.groq.com/docs/errors',
    status: 499,
    body: JSON.stringify({
      error: { code: 499, message: 'The operation was cancelled.', status: 'CANCELLED' },
    }),
    code: 'provider_unavailable',
  },
  {
    ...JSON_ERROR,
    says: '424, the model failed (Bedrock)',
    source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html',
    status: 424,
    body: JSON.stringify({ message: 'The model could not process the request.' }),
    code: 'provider_unavailable',
  },
  {
    ...JSON_ERROR,
    says: '429 with the headers of the vendor in the body (OpenRouter)',
    source: github('everruns/everruns/pull/2280'),
    status: 429,
    body: JSON.stringify({
      error: {
        message: 'Rate limit exceeded: free-models-per-min.',
        code: 429,
        metadata: {
          headers: { 'X-RateLimit-Limit': '20', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '7s' },
        },
      },
    }),
    code: 'provider_rate_limited',
    retryAfterMs: 7_000,
  },
  {
    ...JSON_ERROR,
    says: '429 with the wait as a field of the error',
    source: github('digiogithub/pando/issues/8'),
    status: 429,
    body: JSON.stringify({ error: { message: 'Rate limited.', retry_after: 3 } }),
    code: 'provider_rate_limited',
    retryAfterMs: 3_000,
  },
  {
    wire,
    type: 'text/html',
    says: '502 with the page of a proxy',
    source: github('BerriAI/litellm/pull/22085'),
    status: 502,
    body: page('Bad Gateway'),
    code: 'provider_unavailable',
    words: '502: Bad Gateway',
  },
  {
    wire,
    type: 'text/html',
    says: '403 with the page of a proxy, which links to a policy',
    source: github('BerriAI/litellm/pull/22085'),
    status: 403,
    body: page('Attention Required!'),
    code: 'provider_bad_request',
    words: '403: Attention Required!',
  },
];

const BODIES: readonly OddAnswer[] = [
  {
    ...JSON_ERROR,
    says: 'the message as `msg` (Zhipu)',
    source: 'https://docs.bigmodel.cn/cn/faq/api-code',
    status: 500,
    body: JSON.stringify({ code: 500, msg: 'The model is loading.', success: false }),
    code: 'provider_unavailable',
    words: '500: The model is loading.',
  },
  {
    ...JSON_ERROR,
    says: 'the message deep within other fields',
    source: github('vllm-project/aibrix/pull/2594'),
    status: 502,
    body: JSON.stringify({ detail: { error: { error: { message: 'The engine is down.' } } } }),
    code: 'provider_unavailable',
    words: '502: The engine is down.',
  },
  {
    ...JSON_ERROR,
    says: 'an event of the vendor behind it, quoted (OpenRouter)',
    source: github('decocms/studio/pull/6827'),
    status: 400,
    body: JSON.stringify({
      error: {
        message: 'Provider returned error',
        code: 400,
        metadata: { raw: 'data: {"error":{"code":"invalid_parameter_error","message":"No JSON here."}}' },
      },
    }),
    code: 'provider_bad_request',
    words: '400: No JSON here.',
  },
  {
    ...JSON_ERROR,
    says: 'when its limit resets, as a field (Codex)',
    source: github('router-for-me/CLIProxyAPI/issues/1666'),
    status: 429,
    body: JSON.stringify({
      error: {
        type: 'usage_limit_reached',
        message: 'The usage limit has been reached',
        resets_in_seconds: 529,
      },
    }),
    code: 'provider_rate_limited',
    retryAfterMs: 529_000,
  },
  {
    wire,
    says: 'the wait in an error within the stream',
    source: github('digiogithub/pando/issues/8'),
    body: events({ error: { code: 429, message: 'Rate limited.', retry_after: 3 } }),
    code: 'provider_rate_limited',
    retryAfterMs: 3_000,
  },
  {
    wire: 'google',
    type: 'text/plain',
    says: 'plain words of a proxy',
    source: github('RakuenSoftware/aimee/pull/1427'),
    status: 503,
    body: 'upstream connect error or disconnect/reset before headers',
    code: 'provider_unavailable',
    words: '503: upstream connect error',
  },
  {
    wire: 'cohere',
    type: 'text/html',
    says: 'the page of a proxy',
    source: github('BerriAI/litellm/pull/22085'),
    status: 502,
    body: page('Bad Gateway'),
    code: 'provider_unavailable',
    words: '502: Bad Gateway',
  },
];

export const ODD_ERRORS: readonly OddAnswer[] = [...ERRORS, ...STATUSES, ...BODIES];
