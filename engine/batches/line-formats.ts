/** The port to the formats of lines: how a line becomes generations, and how what these became is written. */
import type { GenerationOrder } from '../../contracts/generation.ts';
import type { MicroUsd, Usage } from '../../contracts/money.ts';
import type { BatchLine, LineResponse, LineResult } from './batch-line.ts';
import type { ResultLine } from './batch-objects.ts';
import type { BatchSpec, KeptAnswer } from './batch-store.ts';

/** `running`: a generation of the line has not ended. `missing`: none was submitted. */
export type LineAnswer = 'running' | 'missing' | EndedLine;

export interface EndedLine {
  readonly result: LineResult;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

export interface LineFormats {
  /** How many generations answer a line: one for each of its choices; none where it calls for embeddings. */
  generationsOf(spec: BatchSpec, line: BatchLine): number;
  /**
   * Submits the generations of a line, except for the start of their runs. A repeated call finds what the first did.
   * @returns those that have not ended; null if the line calls for embeddings. @throws UnbrokenError
   */
  order(spec: BatchSpec, line: BatchLine): Promise<readonly GenerationOrder[] | null>;
  /**
   * Calls for the embeddings of a line, and reserves what they may cost. A call that fails is an answer, too.
   * @throws UnbrokenError if the call was not made
   */
  embed(spec: BatchSpec, line: BatchLine): Promise<KeptAnswer>;
  /** Books what an answer cost, once, and releases the rest of its reservation. */
  book(spec: BatchSpec, answer: KeptAnswer): Promise<void>;
  answer(spec: BatchSpec, line: BatchLine): Promise<LineAnswer>;
  /**
   * Ends the generations of a line that no run will end: the worker died when it had submitted them, and its batch was
   * stopped before another one started their runs; or Redis lost the end that a run wrote.
   */
  endStranded(spec: BatchSpec, line: BatchLine): Promise<void>;
  /** A refusal in the format of the endpoint; null for an error that may pass. */
  refusal(spec: BatchSpec, error: unknown): LineResponse | null;
  /** The line of the results. */
  write(spec: BatchSpec, line: BatchLine, result: LineResult): ResultLine;
}
