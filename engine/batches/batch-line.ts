/** A line of a batch, and what became of it. */
import { z } from 'zod';
import type { BatchEndpoint } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { parseJson } from '../../contracts/json.ts';

/** One request of a batch, whatever its format called its parts. */
export interface BatchLine {
  /** From 0. */
  readonly index: number;
  readonly customId: string;
  /** What its endpoint would get as the body of a request. */
  readonly body: unknown;
}

/** What a client would have got: the status and the body of the response, in the format of its endpoint. */
export interface LineResponse {
  readonly statusCode: number;
  readonly body: object;
}

/** How a line ended. Each line has exactly one of these in the files of its batch. */
export type LineResult =
  | { readonly kind: 'completed' | 'failed'; readonly response: LineResponse }
  | { readonly kind: 'cancelled' | 'expired' };

const lineSchema = z.object({
  custom_id: z.string(),
  body: z.unknown().optional(),
  params: z.unknown().optional(),
});

/** Reads a line that the check of its file has accepted. @throws invalid_json, if the file is another one now */
export function readLine(bytes: Uint8Array, index: number, endpoint: BatchEndpoint): BatchLine {
  const line = lineSchema.safeParse(parseJson(new TextDecoder().decode(bytes)));
  if (line.success) {
    const { custom_id: customId, body, params } = line.data;
    return { index, customId, body: endpoint === '/v1/messages' ? params : body };
  }
  throw new UnbrokenError('invalid_json', `Line ${index + 1} is no line of a batch any more.`);
}
