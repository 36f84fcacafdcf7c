/**
 * Writes docs/provider-errors.md from what the tests assert: `node test/engine/providers/error-page.ts`. What follows
 * from a code stands once in a table, so the rows of each vendor stay short enough to be read raw.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { docPage, ERRORS, type ErrorCode } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { EVERYWHERE } from './faults-everywhere.ts';
import type { Failure, Wire } from './fixtures/expectation.ts';
import { EXPECTED } from './fixtures/expected.ts';
import { VENDOR_ACCOUNTS } from './vendor-accounts.ts';

export const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'provider-errors.md');

const NAMES: Readonly<Record<Wire, string>> = {
  'openai-responses': 'OpenAI Responses',
  'openai-chat': 'Chat completions (OpenAI, Azure, and every vendor that speaks the format)',
  'anthropic-messages': 'Anthropic Messages (also on Bedrock)',
  google: 'Google Gemini',
  cohere: 'Cohere',
};

/** No vendor asks for it: it stands for a limit of a day whose end is not known. */
const UNKNOWN_DAY_MS = 3_600_000;

const CODES_HEAD = ['| code | status | retry | next candidate |', '| --- | --- | --- | --- |'];

const FAULTS_HEAD = ['| what the provider does | code | wait before a retry |', '| --- | --- | --- |'];

const WIRES = Object.keys(EXPECTED) as Wire[];

export function errorPage(): string {
  return [
    '# Provider errors',
    '',
    'How each error of a provider is classified, and what follows: by its status first, and by its words second. This page',
    'is generated from the recorded responses in `test/engine/providers/fixtures` and the error table in',
    '`contracts/errors.ts`. Tests assert every row, and that the page is current. The wording of more than twenty vendors,',
    'each with the public report it is from, is in `test/engine/providers/vendor-errors.ts`, `vendor-refusals.ts` and',
    '`vendor-words.ts`. `node test/engine/providers/error-page.ts` writes it.',
    '',
    ...RETRIES,
    '',
    '## What follows from each code',
    '',
    ...CODES_HEAD,
    ...usedCodes().map(codeRow),
    '',
    '## Every provider',
    '',
    ...FAULTS_HEAD,
    ...EVERYWHERE.map((fault) => faultRow({ ...fault, says: fault.page ?? fault.says })),
    '',
    ...WIRES.flatMap((wire) => [
      `## ${NAMES[wire]}`,
      '',
      ...FAULTS_HEAD,
      ...failuresOf(wire).map(faultRow),
      '',
    ]),
    '## Accounts and quotas',
    '',
    'An account that is disabled is a rejected key: other callers learn it. A model that the account may not use, and an',
    'account without money, concern the request that got the error. A limit of a day whose end the vendor does not say',
    'keeps its key away from the model for an hour; then one call finds out.',
    '',
    ...FAULTS_HEAD,
    ...VENDOR_ACCOUNTS.flatMap(({ page: says, code, retryAfterMs }) =>
      says === undefined
        ? []
        : [faultRow({ says, code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })],
    ),
    '',
    '## What is not an error',
    '',
    '- An answer that reaches its output cap (`length`, `max_tokens`, `MAX_TOKENS`, a full context window) ends with the',
    '  finish reason `length`, even if thoughts have used the whole cap.',
    '- A refusal of the model, or a filter of the vendor that ends a response with status 200, ends the answer with the',
    '  finish reason `refusal` or `content-filter`. The text before it is kept, and the call is billed once. If the route',
    '  has `onContentPolicy: fall-back`, the next candidate is called, as after `content_filtered`.',
    '- A finish reason that is not known ends an answer that has content. The log has it as `vendorReason`.',
    '- A connection that breaks, or stays open for 2 s without a further event, after the finish reason. Only the usage',
    '  can be missing then. A reason that says that the server gave up (`error`, `network_error`, `abort`) is an error.',
    '- An answer without content after the result of a tool, after the beginning of an answer, or where a stop sequence',
    '  was set. A model that is asked again would say the same.',
    '- An answer that is nearly of its format: whole as JSON although a stream was requested, a stream that is called JSON,',
    '  events without a name or a blank line between them, arguments as an object, or sent again, an empty finish reason in',
    '  each chunk, or `[DONE]` without any reason. `test/engine/providers/odd-*.ts` has each with the report it is from. Two',
    '  calls of one conversation never get the same id: the later one gets a number behind it.',
    '- An answer whose usage is missing or implausible ends as usual. Its usage is estimated, and marked as estimated.',
    '',
  ].join('\n');
}

const RETRIES = [
  `- **Retries.** A candidate is called at most ${LIMITS.providerErrorsPerCandidate} times. Then the next candidate of the route is called.`,
  '- **The wait before a retry** is the one that the vendor asks for: `retry-after-ms`, `retry-after`, `RetryInfo`, a',
  '  sentence such as "Please try again in 7.2s", or else the reset of the limit that is used up (`x-ratelimit-reset-*`,',
  `  \`anthropic-ratelimit-*-reset\`). If the vendor asks for more than ${LIMITS.retryAfterMs / 1_000} s, the next candidate is called instead. Without`,
  '  such a request the wait is about 0.1 s, doubled each time ("backoff" below). Each wait is longer by a random part,',
  '  so that the calls that failed together do not return together.',
  '- **Other keys.** If the provider has several keys, a call that met a rate limit or a refused key is retried with',
  '  another key at once.',
  '- **A malformed response** is asked for once more. After a second one the next candidate is called, if there is one.',
  '- **A stalled response** is resumed once by reattaching. It is called again only if no other candidate is left: a',
  '  silent model would be silent again.',
  '- **What the caller sees.** An error only when no candidate is left. With several candidates it is',
  '  `all_candidates_failed`, whose attempts have the codes below.',
  '- **Text delivered before an error** is continued. It is never shown as finished.',
  '- **Known limits of a model.** A request for something that the model is known not to support is refused before the',
  '  call leaves ([`unsupported_by_model`](errors/unsupported_by_model.md)).',
  '- **What other callers learn.** Only three things: a key that the provider rejects, a rate limit, and an outage that',
  '  several tenants see ([routing.md](routing.md)). Every other error affects only the request that got it.',
];

function failuresOf(wire: Wire): Failure[] {
  return Object.values(EXPECTED[wire]).flatMap((expected) => ('code' in expected ? [expected] : []));
}

/** The codes that a row below has, in the order of the error table. */
function usedCodes(): ErrorCode[] {
  const used = new Set([...EVERYWHERE, ...WIRES.flatMap(failuresOf)].map(({ code }) => code));
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => used.has(code));
}

function codeRow(code: ErrorCode): string {
  const { status, fallback } = ERRORS[code];
  const next = fallback ? 'yes' : code === 'content_filtered' ? 'if the route allows it' : 'no';
  return `| [\`${code}\`](${pageLink(code)}) | ${status} | ${retryOf(code)} | ${next} |`;
}

function retryOf(code: ErrorCode): string {
  if (code === 'provider_auth' || code === 'provider_quota_exhausted') return 'with another key';
  if (code === 'provider_prefill_refused') return 'by instruction';
  if (code === 'provider_stalled') return 'by reattaching';
  return ERRORS[code].retryable ? 'yes' : 'no';
}

function faultRow({ says, code, retryAfterMs }: Pick<Failure, 'says' | 'code' | 'retryAfterMs'>): string {
  return `| ${says} | \`${code}\` | ${ERRORS[code].retryable ? waitOf(retryAfterMs) : '-'} |`;
}

function waitOf(retryAfterMs: number | undefined): string {
  if (retryAfterMs === undefined) return 'backoff';
  return retryAfterMs === UNKNOWN_DAY_MS ? 'an hour' : `${retryAfterMs / 1_000} s, as requested`;
}

function pageLink(code: ErrorCode): string {
  return `${docPage(code).replace('/docs/', '')}.md`;
}

if (import.meta.main) writeFileSync(PAGE, errorPage());
