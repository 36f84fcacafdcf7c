/** One error of a vendor, as a public report has it. */
import type { ErrorCode } from '../../../contracts/errors.ts';

export interface VendorErrorRow {
  readonly vendor: string;
  readonly source: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
  readonly code: ErrorCode;
  readonly concerns?: 'key';
  readonly retryAfterMs?: number;
  readonly wire?: 'anthropic-messages' | 'google' | 'cohere';
  /** How docs/provider-errors.md names it, if it does. */
  readonly page?: string;
}

export const github = (thread: string) => `https://github.com/${thread}`;
/** The body of most vendors. */
export const error = (message: string, more: object = {}) => ({ error: { message, ...more } });
