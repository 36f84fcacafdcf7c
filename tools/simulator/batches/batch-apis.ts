/** The vendors' batch APIs, and the control over them (`/_sim/batches`, `/_sim/batch-plans`). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { apiKeyOf, readBytes, sendJson } from '../exchange.ts';
import type { Model } from '../serve-call.ts';
import { AnthropicBatches, MESSAGE_BATCH_BYTES, tooLargeForAnthropic } from './anthropic-batches.ts';
import { BatchPlans, batchPlanSchema } from './batch-plans.ts';
import { openBatchRecords } from './batch-records.ts';
import type { BatchRun } from './batch-run.ts';
import type { BatchRequest, HttpAnswer } from './http-answer.ts';
import { OpenAiBatches } from './openai-batches.ts';
import { FILE_BYTES, OpenAiFiles, refused } from './openai-files.ts';
import { StoredFiles } from './stored-files.ts';

const OWNS = /^\/v1\/(files|batches|messages\/batches)(\/|$)/;
/** A form has boundaries around its file. */
const FORM_BYTES = 64 * 1024;

const idSchema = z.object({ id: z.string() });

export interface BatchSettings {
  /** A file that keeps batches and their files: a later process continues them. undefined: they end with this one. */
  readonly path?: string | undefined;
  /** How long a batch runs, from its first line to its last; 0 if absent. */
  readonly runMs?: number | undefined;
}

export class BatchApis {
  readonly #plans: BatchPlans;
  readonly #files: OpenAiFiles;
  readonly #openAi: OpenAiBatches;
  readonly #anthropic: AnthropicBatches;

  constructor(model: Model, { path, runMs = 0 }: BatchSettings) {
    this.#plans = new BatchPlans(runMs);
    const records = openBatchRecords(path);
    const files = new StoredFiles(records);
    const world = { model, plans: this.#plans, records };
    this.#files = new OpenAiFiles(files);
    this.#openAi = new OpenAiBatches(world, files);
    this.#anthropic = new AnthropicBatches(world);
  }

  /** @returns whether the path is one of a batch API. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (!OWNS.test(url.pathname)) return false;
    const isAnthropic = url.pathname.startsWith('/v1/messages/');
    const bytes = await readBytes(request, isAnthropic ? MESSAGE_BATCH_BYTES : FILE_BYTES + FORM_BYTES);
    const answer = bytes === null ? tooLarge(isAnthropic) : await this.#answer(request, url, bytes);
    if (answer.isLost) response.socket?.destroy();
    else send(response, answer);
    return true;
  }

  /** @returns the answer to a control request; undefined where there is no such request. */
  control(route: string, body: unknown): unknown {
    switch (route) {
      case 'GET /_sim/batches':
        return this.#runs().map(({ id, apiKey, run }) => ({
          id,
          apiKey,
          lines: run?.total ?? 0,
          // How many the vendor charges for: a line that is charged twice is in two batches.
          billed: run?.billed ?? 0,
          hasEnded: run?.endedAtMs != null,
        }));
      case 'POST /_sim/batches/release':
        this.#find(body).release();
        return {};
      case 'POST /_sim/batches/expire':
        this.#find(body).expire();
        return {};
      case 'POST /_sim/batch-plans':
        this.#plans.add(batchPlanSchema.parse(body));
        return {};
      case 'DELETE /_sim/batch-plans':
        this.#plans.clear();
        return {};
      default:
        return undefined;
    }
  }

  async #answer(incoming: IncomingMessage, url: URL, bytes: Buffer): Promise<HttpAnswer> {
    const { method = '', headers } = incoming;
    const request: BatchRequest = { method, url, headers, apiKey: apiKeyOf(incoming), bytes };
    const answer =
      this.#anthropic.serve(request) ?? this.#openAi.serve(request) ?? (await this.#files.serve(request));
    return answer ?? refused(405, { message: `Not allowed to ${method} on ${url.pathname}.` });
  }

  #runs(): readonly { readonly id: string; readonly apiKey: string; readonly run: BatchRun | null }[] {
    return [...this.#openAi.all(), ...this.#anthropic.all()];
  }

  #find(body: unknown): BatchRun {
    const { id } = idSchema.parse(body);
    const run = this.#runs().find((own) => own.id === id)?.run;
    if (run == null) throw new Error(`No batch ${id} runs here.`);
    return run;
  }
}

function tooLarge(isAnthropic: boolean): HttpAnswer {
  return isAnthropic ? tooLargeForAnthropic() : refused(413, { message: 'The file is larger than 512 MB.' });
}

function send(response: ServerResponse, { status, body }: HttpAnswer): void {
  if (!Buffer.isBuffer(body)) sendJson(response, status, body);
  else response.writeHead(status, { 'content-type': 'application/octet-stream' }).end(body);
}
