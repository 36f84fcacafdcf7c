/**
 * Checks the file of a batch, line by line, and notes where each line begins. The faults have the codes of OpenAI's
 * Batch API. Source: OpenAI and Azure OpenAI, "Batch", and answers of OpenAI's API.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { BatchEndpoint, BatchFault } from '../../contracts/batches.ts';
import { parseJson } from '../../contracts/json.ts';
import { jsonFault } from '../../contracts/json-limits.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { type Line, LineTooLong, splitLines } from './split-lines.ts';

export interface FileRules {
  readonly endpoint: BatchEndpoint;
  readonly atMostLines: number;
  readonly atMostLineBytes: number;
  /** Values of JSON in a line: what it costs to parse grows with them. */
  readonly atMostValues: number;
}

export interface CheckedFile {
  /** Where each line begins, and where the last one ends: bytes. */
  readonly offsets: Uint32Array;
  /** Empty: every line can be sent. */
  readonly faults: readonly BatchFault[];
  /** The model that the first line names. */
  readonly model: string | null;
}

/** Of a line without its body. */
const LINE_VALUES = 100;

type Fault = Omit<BatchFault, 'line'>;

export async function checkFile(chunks: AsyncIterable<Uint8Array>, rules: FileRules): Promise<CheckedFile> {
  const check = new FileCheck(rules);
  let bytes = 0;
  const counted = (async function* () {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  })();
  try {
    for await (const line of splitLines(counted, rules.atMostLineBytes)) {
      if (!check.add(line)) break;
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    check.refuseLength(error.line);
  }
  return check.result(bytes);
}

/** Checks lines as they come. */
export class FileCheck {
  readonly #rules: FileRules;
  readonly #ids = new Set<string>();
  readonly #faults: BatchFault[] = [];
  readonly #offsets: number[] = [];
  #model: string | null = null;

  constructor(rules: FileRules) {
    this.#rules = rules;
  }

  get lines(): number {
    return this.#offsets.length;
  }

  get faults(): readonly BatchFault[] {
    return this.#faults;
  }

  /** @returns whether the check of the next line makes sense. */
  add({ bytes, number, from }: Line): boolean {
    const { atMostLines } = this.#rules;
    if (this.#offsets.length >= atMostLines) {
      this.#faults.push({
        code: 'too_many_tasks',
        message: `The batch input file has more than ${atMostLines} requests; the setting is batches.lines.`,
        param: null,
        line: number,
      });
      return false;
    }
    this.#offsets.push(from);
    const fault = this.#faultOf(bytes);
    if (fault !== null) this.#faults.push({ ...fault, line: number });
    return this.#faults.length < BATCH_LIMITS.batchFaults;
  }

  refuseLength(line: number): void {
    const most = this.#rules.atMostLineBytes;
    const message = `This line has more than ${most} bytes; the setting is http.bodyBytes.`;
    this.#faults.push({ code: 'request_too_large', message, param: null, line });
  }

  result(bytes: number): CheckedFile {
    if (this.lines === 0 && this.#faults.length === 0) {
      const message = 'The batch input file is empty; it must have at least one request.';
      this.#faults.push({ code: 'empty_file', message, param: null, line: null });
    }
    const offsets = Uint32Array.from([...this.#offsets, bytes]);
    return { offsets, faults: this.#faults, model: this.#model };
  }

  #faultOf(bytes: Uint8Array): Fault | null {
    if (!isText(bytes)) {
      const message =
        'This line is not in UTF-8, or has a character with the code 0, as UTF-16 has; save it as UTF-8.';
      return { code: 'invalid_json_line', message, param: null };
    }
    const line = this.#isCheap(bytes) ? objectIn(bytes) : 'costly';
    if (line === 'costly') {
      const most = `${this.#rules.atMostValues} values, the setting http.jsonValues`;
      const message = `This line has more than ${most}, or is nested deeper than ${LIMITS.jsonDepth} levels.`;
      return { code: 'request_too_large', message, param: null };
    }
    if (line === null) {
      return {
        code: 'invalid_json_line',
        message: 'This line is not parseable as valid JSON, or is no object.',
        param: null,
      };
    }
    const isMessage = this.#rules.endpoint === '/v1/messages';
    const body = isMessage ? 'params' : 'body';
    const fault =
      (isMessage ? null : (this.#faultOfUrl(line) ?? faultOfMethod(line))) ?? this.#faultOfId(line);
    if (fault !== null) return fault;
    const request = line[body];
    if (request === undefined) return missing(body);
    if (!isObject(request)) return { code: 'invalid_type', message: `'${body}' is no object.`, param: body };
    if (typeof request['model'] !== 'string') return missing(`${body}.model`);
    this.#model ??= request['model'];
    return null;
  }

  /** 30 MB of brackets take seconds and a gigabyte to parse, while nothing else runs in this process. */
  #isCheap(bytes: Uint8Array): boolean {
    // The line itself is a level, and has a few values.
    const limits = { depth: LIMITS.jsonDepth + 1, values: this.#rules.atMostValues + LINE_VALUES };
    // Half of a character is a fault of its line alone, and found when the line is sent.
    return jsonFault(bytes, { ...limits, takesHalves: true }) === null;
  }

  #faultOfId({ custom_id: id }: Record<string, unknown>): Fault | null {
    const param = 'custom_id';
    if (id === undefined) return missing(param);
    if (typeof id !== 'string' || id === '' || id.length > BATCH_LIMITS.customIdChars) {
      const message = `'custom_id' must be a text of 1 to ${BATCH_LIMITS.customIdChars} characters.`;
      return { code: 'invalid_custom_id', message, param };
    }
    // 96 bits: the memory that 100,000 ids take does not depend on their length.
    const mark = createHash('sha256').update(id).digest('base64').slice(0, 16);
    if (this.#ids.has(mark)) {
      const message = `The custom_id '${id.slice(0, 100)}' is that of an earlier line; each line needs its own.`;
      return { code: 'duplicate_custom_id', message, param };
    }
    this.#ids.add(mark);
    return null;
  }

  #faultOfUrl({ url }: Record<string, unknown>): Fault | null {
    if (url === undefined) return missing('url');
    const { endpoint } = this.#rules;
    if (url === endpoint) return null;
    const message = `The URL of this request is not the endpoint of the batch, '${endpoint}'.`;
    return { code: 'url_mismatch', message, param: 'url' };
  }
}

function faultOfMethod({ method }: Record<string, unknown>): Fault | null {
  if (method === undefined) return missing('method');
  return method === 'POST'
    ? null
    : { code: 'invalid_method', message: "'method' must be 'POST'.", param: 'method' };
}

function missing(param: string): Fault {
  return { code: 'missing_required_parameter', message: `Missing required parameter: '${param}'.`, param };
}

/** JSON writes no character as a byte of 0. Text in UTF-16, as some editors of Windows save it, is full of them. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

function objectIn(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value = parseJson(new TextDecoder().decode(bytes));
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
