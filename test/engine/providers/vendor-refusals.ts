/** More errors as vendors send them: refusals of the input, the content, the region, the key, and the model. */
import { error, github, type VendorErrorRow } from './vendor-error-row.ts';

const TOO_LONG: readonly VendorErrorRow[] = [
  {
    vendor: 'DeepSeek',
    source: github('evalstate/fast-agent/issues/621'),
    status: 400,
    body: error(
      "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
      { type: 'invalid_request_error', param: null, code: 'invalid_request_error' },
    ),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Alibaba',
    source: github('agentscope-ai/QwenPaw/issues/6255'),
    status: 400,
    body: error('<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 983616]', {
      code: 'invalid_parameter_error',
      param: null,
      type: 'invalid_request_error',
    }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'vLLM',
    source: github('vllm-project/vllm/issues/4667'),
    status: 400,
    body: {
      object: 'error',
      message: 'max_tokens must be at least 1, got -186.',
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'llama.cpp',
    source: github('oobabooga/textgen/issues/7257'),
    status: 400,
    body: error(
      'the request exceeds the available context size. try increasing the context size or enable context shift',
      { code: 400, type: 'exceed_context_size_error', n_prompt_tokens: 14_429, n_ctx: 8_192 },
    ),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'llama.cpp',
    source: github('ikawrakow/ik_llama.cpp/pull/2051'),
    status: 500,
    body: error('context shift is disabled', { code: 500, type: 'server_error' }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'llama.cpp',
    source: github('ggml-org/llama.cpp/issues/19774'),
    status: 500,
    body: error('Context size has been exceeded.', { code: 500, type: 'server_error' }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'LM Studio',
    source: github('lmstudio-ai/lmstudio-bug-tracker/issues/546'),
    status: 400,
    body: {
      error:
        'Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with context length of only 32768 tokens, which is not enough.',
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'LM Studio',
    source: github('lmstudio-ai/lmstudio-bug-tracker/issues/2322'),
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: {
      error:
        'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096).',
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Hugging Face TGI',
    source: github('bytedance/UI-TARS-desktop/issues/626'),
    status: 422,
    body: {
      error:
        'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 65537. Given: 79993 `inputs` tokens and 1024 `max_new_tokens`',
      error_type: 'validation',
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Hugging Face TGI',
    source: github('meta-llama/llama/issues/1103'),
    status: 422,
    body: { error: 'Input validation error: `inputs` must have less than 4096 tokens. Given: 4545' },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'xAI',
    source: github('chenyme/grok2api/issues/693'),
    status: 400,
    body: {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 500000 but the request contains 907154 tokens.",
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'xAI',
    source: github('UKGovernmentBEIS/inspect_ai/pull/5208'),
    status: 400,
    body: {
      code: 'Client specified an invalid argument',
      error:
        'Failed to start sampling: [input_too_large] Current message (1149677 tokens) exceeds budget (975424 tokens)',
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'GitHub Models',
    source: github('eslint/tsc-meetings/pull/593'),
    status: 413,
    body: error('Request body too large for gpt-4o model. Max size: 8000 tokens.', {
      code: 'tokens_limit_reached',
      details: 'Request body too large for gpt-4o model. Max size: 8000 tokens.',
    }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'OpenAI',
    source: github('vanderschaarlab/climb/issues/1'),
    status: 429,
    body: error(
      'Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 30601. The input or output tokens must be reduced in order to run successfully.',
      { type: 'tokens', param: null, code: 'rate_limit_exceeded' },
    ),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Anthropic',
    source: github('stackblitz/bolt.new/issues/1871'),
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'prompt is too long: 200002 tokens > 200000 maximum',
      },
    },
    code: 'context_length_exceeded',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'DeepInfra behind OpenRouter',
    source: github('ai-christianson/RA.Aid/issues/41'),
    status: 400,
    body: error('Provider returned error', {
      code: 400,
      metadata: {
        provider_name: 'DeepInfra',
        raw: JSON.stringify({
          object: 'error',
          message:
            "This model's maximum context length is 16000 tokens. However, you requested 17165 tokens. Please reduce the length of the messages or completion.",
          type: 'BadRequestError',
          code: 400,
        }),
      },
    }),
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Cohere',
    source: github('cohere-ai/sandbox-topically/issues/4'),
    status: 400,
    body: {
      message:
        'too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - received 6354. Try using a shorter prompt or a smaller max_tokens value.',
    },
    code: 'context_length_exceeded',
  },
];

const CONTENT: readonly VendorErrorRow[] = [
  {
    vendor: 'Azure OpenAI',
    source: github('Gitlawb/openclaude/issues/273'),
    status: 400,
    body: error(
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
      {
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    ),
    code: 'content_filtered',
  },
  {
    vendor: 'Alibaba',
    source: github('QwenLM/qwen-code/issues/3145'),
    status: 400,
    body: error(
      '<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.',
      { code: 'data_inspection_failed', type: 'data_inspection_failed' },
    ),
    code: 'content_filtered',
  },
  {
    vendor: 'xAI',
    source: github('Wei-Shaw/sub2api/pull/5359'),
    status: 403,
    body: { code: 'permission-denied', error: 'Content violates usage guidelines.' },
    code: 'content_filtered',
  },
];

const REGIONS: readonly VendorErrorRow[] = [
  {
    vendor: 'OpenAI',
    source: github('home-assistant/core/issues/120072'),
    status: 403,
    body: error('Country, region, or territory not supported', {
      code: 'unsupported_country_region_territory',
      param: null,
      type: 'request_forbidden',
    }),
    code: 'provider_bad_request',
  },
  {
    vendor: 'Google',
    source: github('poenl/gemini-api/issues/4'),
    status: 400,
    body: {
      error: {
        code: 400,
        message: 'User location is not supported for the API use.',
        status: 'FAILED_PRECONDITION',
      },
    },
    code: 'provider_bad_request',
    wire: 'google',
  },
];

const KEYS: readonly VendorErrorRow[] = [
  {
    vendor: 'DeepSeek',
    source: github('szczyglis-dev/py-gpt/issues/112'),
    status: 401,
    body: error('Authentication Fails, Your API key: ****eek} is invalid', {
      type: 'authentication_error',
      param: null,
      code: 'invalid_request_error',
    }),
    code: 'provider_auth',
    concerns: 'key',
  },
  {
    vendor: 'Google',
    source: github('continuedev/continue/issues/10530'),
    status: 400,
    body: {
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'API_KEY_INVALID', domain: 'googleapis.com' }],
      },
    },
    code: 'provider_auth',
    concerns: 'key',
    wire: 'google',
  },
  {
    vendor: 'NVIDIA',
    source: github('HKUDS/OpenHarness/issues/233'),
    status: 403,
    body: { status: 403, title: 'Forbidden', detail: 'Authorization failed' },
    code: 'provider_auth',
  },
];

const MODELS: readonly VendorErrorRow[] = [
  {
    vendor: 'OpenAI',
    source: github('qx-labs/agents-deep-research/issues/7'),
    status: 404,
    body: error('The model `o3-mini-2025-01-31` does not exist or you do not have access to it.', {
      type: 'invalid_request_error',
      param: null,
      code: 'model_not_found',
    }),
    code: 'provider_model_not_found',
  },
  {
    vendor: 'DeepSeek',
    source: github('deepwn/addi/issues/13'),
    status: 400,
    body: error('Model Not Exist', {
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_request_error',
    }),
    code: 'provider_model_not_found',
  },
  {
    vendor: 'Fireworks',
    source: github('warpdotdev/warp/issues/15107'),
    status: 404,
    body: {
      message: 'Model not found, inaccessible, and/or not deployed',
      param: 'model',
      code: 'NOT_FOUND',
      type: 'error',
    },
    code: 'provider_model_not_found',
  },
  {
    vendor: 'OpenRouter',
    source: github('vyancharuk/nodejs-api-boilerplate/issues/16'),
    status: 404,
    body: error('No endpoints found for nousresearch/hermes-3-llama-3.1-405b:free.', { code: 404 }),
    code: 'provider_model_not_found',
  },
  {
    vendor: 'LiteLLM',
    source: github('continuedev/continue/issues/11177'),
    status: 400,
    body: {
      error:
        '/chat/completions: Invalid model name passed in model=ollama/deepseek-r1:latest. Call `/v1/models` to view available models for your key.',
    },
    code: 'provider_model_not_found',
  },
  {
    vendor: 'Ollama',
    source: github('netease-youdao/QAnything/issues/555'),
    status: 404,
    body: error('model "ollama" not found, try pulling it first', {
      type: 'api_error',
      param: null,
      code: null,
    }),
    code: 'provider_model_not_found',
  },
  {
    vendor: 'NVIDIA',
    source: github('Alishahryar1/free-claude-code/issues/1021'),
    status: 404,
    body: {
      status: 404,
      title: 'Not Found',
      detail: "Function '23d4f03a-b8a6-4adb-a183-7daa083a09cc': Not found for account 'Qawm'",
    },
    code: 'provider_model_not_found',
  },
];

/** The request is wrong, and no other words say why: it must reach the caller as it is. */
const REQUESTS: readonly VendorErrorRow[] = [
  {
    vendor: 'Amazon Bedrock',
    source: github('charmbracelet/crush/issues/946'),
    status: 400,
    body: { message: 'The maximum tokens you requested exceeds the model limit of 32768' },
    code: 'provider_bad_request',
    wire: 'anthropic-messages',
  },
];

export const VENDOR_REFUSALS: readonly VendorErrorRow[] = [
  ...TOO_LONG,
  ...CONTENT,
  ...REGIONS,
  ...KEYS,
  ...MODELS,
  ...REQUESTS,
];
