/** The port to the check of an answer against the schema that its request asks for. */
import type { OutputFormat } from '../../contracts/content.ts';

/** Where an answer does not fit. */
export interface OutputFault {
  /** A JSON Pointer into the answer, such as `/items/0/price`; '' for the whole. */
  readonly path: string;
  readonly message: string;
}

/** `unchecked`: the check takes too long or too much memory, or the schema cannot be compiled. */
export type OutputVerdict =
  | { readonly result: 'fits' }
  | { readonly result: 'unfit'; readonly faults: readonly OutputFault[] }
  | { readonly result: 'unchecked'; readonly reason: string };

export interface OutputChecker {
  /** @param output without a schema, any JSON fits. */
  check(tenant: string, output: Pick<OutputFormat, 'schema'>, text: string): Promise<OutputVerdict>;
  /** @returns why answers cannot be checked against this schema; null if they can. */
  faultOfSchema(tenant: string, schema: Readonly<Record<string, unknown>>): Promise<string | null>;
}
