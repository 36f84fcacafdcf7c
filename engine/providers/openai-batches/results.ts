/** One line of the output or error file of a batch. Source: OpenAI API reference, "The request output object". */
import { malformed } from '../answer-state.ts';
import type { BatchLinks } from '../batch-links.ts';
import type { LineResult } from '../provider-batches.ts';

interface OutputLine {
  readonly custom_id?: unknown;
  readonly response?: { readonly status_code?: unknown; readonly body?: unknown } | null;
  /** Of a request that was not made, or got no answer. */
  readonly error?: { readonly code?: unknown; readonly message?: unknown } | null;
}

const UNSENT: ReadonlySet<unknown> = new Set(['batch_expired', 'batch_cancelled']);
/** Of a line without an answer: the vendor has failed. */
const FAILED_STATUS = 502;

export function readOpenAiResult(
  value: unknown,
  indexOf: (lineId: unknown) => number | null,
  links: Pick<BatchLinks, 'lineError'>,
): LineResult {
  const { custom_id: lineId, response, error } = (value ?? {}) as OutputLine;
  const index = indexOf(lineId);
  if (index === null) throw malformed('a result of another line');
  if (error != null) {
    if (UNSENT.has(error.code)) return { index, type: 'unsent' };
    return { index, type: 'failed', error: links.lineError(FAILED_STATUS, { error }) };
  }
  const { status_code: status, body } = response ?? {};
  if (status === 200) return { index, type: 'answered', body };
  // Seen in public reports: 0, for a line that got no answer.
  const isStatus = typeof status === 'number' && status >= 400;
  return { index, type: 'failed', error: links.lineError(isStatus ? status : FAILED_STATUS, body) };
}
