/**
 * What OpenAI finds in the file of a batch before it starts: one problem fails the whole batch. Source: the guide
 * "Batch API"; codes and words from public reports, and from Azure OpenAI's documentation of its batches.
 */
import { type Fields, fieldsOf } from '../rules/json-values.ts';
import type { BatchLine } from './batch-run.ts';

/** A member of `errors.data` of a batch. */
export interface BatchProblem {
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
  readonly param: string | null;
}

const MOST_LINES = 50_000;
const MOST_EMBEDDING_INPUTS = 50_000;
const FIELDS = ['custom_id', 'method', 'url', 'body'] as const;
/** No batch lists more. */
const MOST_PROBLEMS = 50;

interface ReadLines {
  readonly lines: readonly BatchLine[];
  /** Of the first line. */
  readonly model: string;
  readonly problems: readonly BatchProblem[];
}

export function readOpenAiLines(content: Buffer, endpoint: string): ReadLines {
  const texts = content.toString('utf8').split('\n');
  if (texts.at(-1)?.trim() === '') texts.pop();
  if (texts.length === 0) return refusedFile('empty_file', 'The input file is empty.');
  if (texts.length > MOST_LINES) {
    return refusedFile('too_many_requests', `The input file has more than ${MOST_LINES} requests.`);
  }
  const reader = new LineReader(endpoint);
  const lines = texts.flatMap((text, index) => reader.read(text, index + 1));
  const { problems, model, inputs } = reader;
  if (inputs > MOST_EMBEDDING_INPUTS) {
    return refusedFile('too_many_inputs', `The batch has more than ${MOST_EMBEDDING_INPUTS} inputs.`);
  }
  return { lines, model: model ?? '', problems: problems.slice(0, MOST_PROBLEMS) };
}

class LineReader {
  readonly #endpoint: string;
  readonly #ids = new Set<string>();
  readonly problems: BatchProblem[] = [];
  model: string | null = null;
  /** Texts to embed. */
  inputs = 0;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  read(text: string, line: number): BatchLine[] {
    const fields = parsed(text);
    const problem = fields === null ? NOT_JSON : this.#problemOf(fields);
    if (problem !== null) this.problems.push({ param: null, ...problem, line });
    if (fields === null || problem !== null) return [];
    const { input } = fieldsOf(fields['body']);
    if (this.#endpoint === '/v1/embeddings') this.inputs += Array.isArray(input) ? input.length : 1;
    return [{ customId: String(fields['custom_id']), body: fields['body'] }];
  }

  #problemOf(fields: Fields): Omit<BatchProblem, 'line' | 'param'> | Omit<BatchProblem, 'line'> | null {
    const missing = FIELDS.find((name) => fields[name] === undefined || fields[name] === '');
    if (missing !== undefined) {
      const message = `Missing required parameter: '${missing}'.`;
      return { code: 'missing_required_parameter', message, param: missing };
    }
    const { custom_id: id, method, url, body } = fields;
    if (typeof id !== 'string' || typeof body !== 'object' || Array.isArray(body)) {
      return { code: 'invalid_type', message: 'A field of this line has the wrong type.' };
    }
    if (method !== 'POST') return { code: 'invalid_method', message: 'The method must be POST.' };
    if (url !== this.#endpoint) {
      const message = 'The URL provided for this request does not match the endpoint of the batch.';
      return { code: 'invalid_url', message, param: 'url' };
    }
    if (this.#ids.has(id)) {
      const message = 'The custom_id for this request is a duplicate of another request.';
      return { code: 'duplicate_custom_id', message, param: 'custom_id' };
    }
    this.#ids.add(id);
    const model = String(fieldsOf(body)['model'] ?? '');
    this.model ??= model;
    if (model === this.model) return null;
    const message =
      'The model for this request does not match the rest of the batch. Each batch must contain requests for a single model.';
    return { code: 'mismatched_model', message, param: 'body.model' };
  }
}

const NOT_JSON = { code: 'invalid_json_line', message: 'This line is not parseable as valid JSON.' };

function parsed(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

function refusedFile(code: string, message: string): ReadLines {
  return { lines: [], model: '', problems: [{ code, message, line: null, param: null }] };
}
