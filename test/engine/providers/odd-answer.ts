/** An answer that is not quite of its format, as a public report has it, and what a caller must get from it. */

import type { Message } from '../../../contracts/content.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Parts, Wire } from './fixtures/expectation.ts';

export interface OddAnswer {
  readonly says: string;
  readonly source: string;
  readonly wire: Wire;
  /** Absent: a stream of events. */
  readonly type?: string;
  readonly status?: number;
  readonly body: string;
  /** What the conversation has before its last question. */
  readonly before?: readonly Message[];
  /** The names of the tools of the request. */
  readonly tools?: readonly string[];
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly (readonly [name: string, id: string | RegExp, written: object])[];
  /** The addresses of its pictures. */
  readonly pictures?: readonly string[];
  /** How many there are. */
  readonly annotations?: number;
  readonly reason?: FinishReason;
  readonly usage?: Parts | null;
  /** How the call fails, if it does. */
  readonly code?: ErrorCode;
  readonly words?: string;
  readonly retryAfterMs?: number;
}

export const github = (thread: string) => `https://github.com/${thread}`;

/** Events of a stream, without names. */
export const events = (...values: readonly unknown[]) =>
  values.map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`).join('');

export type Event = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Events of a stream, named after their type. */
export const named = (...values: readonly Event[]) =>
  values.map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`).join('');

export const DONE = '[DONE]';
export const JSON_TYPE = 'application/json';
