/** Batches of OpenAI's format, as its official client sends and reads them. */
import OpenAI, { toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';
import { waitFor } from './wait-for.ts';

export const BATCH_MODEL = 'simulated/sim-large';

export interface OutputLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    // biome-ignore lint/suspicious/noExplicitAny: each endpoint has another body
    readonly body: any;
  } | null;
  readonly error: { readonly code: string } | null;
}

type Lines = readonly (object | string)[];

const ENDED: readonly Batch['status'][] = ['completed', 'failed', 'expired', 'cancelled'];

export function chatLine(id: string, content: string, more: object = {}) {
  return {
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: BATCH_MODEL, messages: [{ role: 'user', content }], ...more },
  };
}

export class BatchClient {
  readonly openai: OpenAI;

  constructor(url: string, apiKey: string) {
    this.openai = new OpenAI({ baseURL: `${url}/v1`, apiKey });
  }

  /** @returns the id of the file. */
  async upload(lines: Lines): Promise<string> {
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    const file = await toFile(Buffer.from(text), 'lines.jsonl');
    return (await this.openai.files.create({ file, purpose: 'batch' })).id;
  }

  async create(lines: Lines, more: Partial<OpenAI.BatchCreateParams> = {}): Promise<Batch> {
    const input_file_id = await this.upload(lines);
    const endpoint = '/v1/chat/completions';
    return this.openai.batches.create({ input_file_id, endpoint, completion_window: '24h', ...more });
  }

  endOf(id: string): Promise<Batch> {
    return waitFor(`the end of ${id}`, async () => {
      const batch = await this.openai.batches.retrieve(id).catch(() => null);
      return batch !== null && ENDED.includes(batch.status) && batch;
    });
  }

  async resultsOf(batch: Batch) {
    const output = await this.#linesIn(batch.output_file_id);
    const errors = await this.#linesIn(batch.error_file_id);
    return { output, errors, ids: [...output, ...errors].map((line) => line.custom_id) };
  }

  async #linesIn(fileId: string | null | undefined): Promise<OutputLine[]> {
    if (fileId === null || fileId === undefined) return [];
    const lines = (await (await this.openai.files.content(fileId)).text()).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as OutputLine);
  }
}
