/** The page docs/provider-errors.md, made from what the tests hold. `node test/engine/providers/error-page.ts` writes it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { docPage, ERRORS, type ErrorCode } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { EVERYWHERE } from './faults-everywhere.ts';
import { EXPECTED, type Failure, type Wire } from './fixtures/expected.ts';

export const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'provider-errors.md');

const NAMES: Readonly<Record<Wire, string>> = {
  'openai-responses': 'OpenAI Responses',
  'openai-chat': 'Chat completions (OpenAI, Azure, and every vendor that speaks the format)',
  'anthropic-messages': 'Anthropic Messages (also on Bedrock)',
  google: 'Google Gemini',
  cohere: 'Cohere',
};

const HEAD = [
  '| what the provider does | code | tried again | wait before it | next candidate | what the caller sees |',
  '| --- | --- | --- | --- | --- | --- |',
];

export function errorPage(): string {
  return [
    '# Errors of providers',
    '',
    'This page is made from the recorded answers in `test/providers/fixtures` and the one table in',
    '`contracts/errors.ts`; a test holds every row, and that the page is current (`node test/engine/providers/error-page.ts`',
    'writes it).',
    '',
    `A candidate is tried ${LIMITS.providerErrorsPerCandidate} times at most, then the next one of the route. A wait is the`,
    "vendor's own where it tells one: `retry-after-ms`, `retry-after`, `RetryInfo`, or the reset of the limit that has",
    `nothing left (\`x-ratelimit-reset-*\`, \`anthropic-ratelimit-*-reset\`); over ${LIMITS.retryAfterMs / 1_000} s the next candidate`,
    'is tried instead. Otherwise the wait is 0.1 s, doubled each time, 5 s at most. With other keys in the pool a rate limit or',
    'a refused key is tried again with another key at once. The caller sees an error only when no candidate is left; with',
    'several candidates it is `all_candidates_failed`, whose attempts tell these codes. Text that was delivered before an',
    'error is gone on with; it is never shown as finished. What a model is known not to do is refused before the call',
    'leaves ([`unsupported_by_model`](errors/unsupported_by_model.md)).',
    '',
    'Only three things are learned for other callers: a key that the provider rejects, a rate limit, and an outage that',
    'several tenants see ([routing.md](routing.md)). Every other error stays with the request that got it.',
    '',
    '## Every provider',
    '',
    ...HEAD,
    ...EVERYWHERE.map((one) => row({ ...one, says: one.page ?? one.says })),
    '',
    ...(Object.keys(EXPECTED) as Wire[]).flatMap((wire) => [
      `## ${NAMES[wire]}`,
      '',
      ...HEAD,
      ...Object.values(EXPECTED[wire]).flatMap((one) => ('code' in one ? [row(one)] : [])),
      '',
    ]),
    '## What is no error',
    '',
    '- An answer that ends by its output cap (`length`, `max_tokens`, `MAX_TOKENS`, a full context window) ends with the',
    '  finish reason `length`, also where thoughts have used the whole cap.',
    '- An answer whose usage is missing or makes no sense ends as usual; its usage is estimated, and marked so.',
    '',
  ].join('\n');
}

function row({ says, code, retryAfterMs }: Pick<Failure, 'says' | 'code' | 'retryAfterMs'>): string {
  const { status, retryable, fallback } = ERRORS[code];
  const wait = !retryable
    ? '-'
    : retryAfterMs === undefined
      ? 'backoff'
      : `${retryAfterMs / 1_000} s, as told`;
  const next = fallback ? 'yes' : code === 'content_filtered' ? 'only if the route says so' : 'no';
  const cells = [
    says,
    `[\`${code}\`](${link(code)})`,
    again(code, retryable),
    wait,
    next,
    `${status} \`${code}\``,
  ];
  return `| ${cells.join(' | ')} |`;
}

function again(code: ErrorCode, retryable: boolean): string {
  if (code === 'provider_auth' || code === 'provider_quota_exhausted') return 'with another key';
  if (code === 'provider_prefill_refused') return 'by instruction';
  // Asked anew, a silent model would be silent again.
  if (code === 'provider_stalled') return 'the same response; anew only the last candidate';
  return retryable ? 'yes' : 'no';
}

function link(code: ErrorCode): string {
  return `${docPage(code).replace('/docs/', '')}.md`;
}

if (import.meta.main) writeFileSync(PAGE, errorPage());
