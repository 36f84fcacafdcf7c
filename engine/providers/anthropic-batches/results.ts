/** One line of the results of a message batch. Source: Anthropic API reference, "Retrieve Message Batch results". */

import { parseVendorError } from '../../vendor-errors/vendor-error.ts';
import { malformed } from '../answer-state.ts';
import type { BatchLinks } from '../batch-links.ts';
import type { LineResult } from '../provider-batches.ts';

interface ResultLine {
  readonly custom_id?: unknown;
  readonly result?: { readonly type?: unknown; readonly message?: unknown; readonly error?: unknown } | null;
}

/** The statuses that these errors have in a call. Source: Anthropic API reference, "Errors". */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
const OTHER_STATUS = 500;

export function readAnthropicResult(
  value: unknown,
  indexOf: (lineId: unknown) => number | null,
  links: Pick<BatchLinks, 'lineError'>,
): LineResult {
  const { custom_id: lineId, result } = (value ?? {}) as ResultLine;
  const index = indexOf(lineId);
  if (index === null) throw malformed('a result of another line');
  switch (result?.type) {
    case 'succeeded':
      return { index, type: 'answered', body: result.message };
    case 'canceled':
    case 'expired':
      return { index, type: 'unsent' };
    case 'errored': {
      const { kind } = parseVendorError(JSON.stringify(result.error ?? null));
      const status =
        kind
          .split(' ')
          .map((word) => STATUSES[word])
          .find(Boolean) ?? OTHER_STATUS;
      return { index, type: 'failed', error: links.lineError(status, result.error) };
    }
    default:
      throw malformed('a result without a type');
  }
}
