/** OpenAI's `/v1/files`. Source: OpenAI API reference, "Files"; its words for what it refuses, from public reports. */
import { openAiBody } from '../rules/openai-words.ts';
import type { Problem } from '../rules/rule.ts';
import { type BatchRequest, type HttpAnswer, ok, pageAfter } from './http-answer.ts';
import { fileObject, type StoredFile, type StoredFiles } from './stored-files.ts';

const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'];
/** A file with the input of a batch, and any other file. */
const BATCH_FILE_BYTES = 200 * 1024 * 1024;
export const FILE_BYTES = 512 * 1024 * 1024;
const MOST_LISTED = 10_000;
/** Those of batches expire by themselves. */
const BATCH_FILE_SECONDS = 30 * 24 * 3_600;

export class OpenAiFiles {
  readonly #files: StoredFiles;

  constructor(files: StoredFiles) {
    this.#files = files;
  }

  /** @returns null where the path is not one of files. */
  async serve(request: BatchRequest): Promise<HttpAnswer | null> {
    const [, id, part] = /^\/v1\/files(?:\/([^/]+))?(?:\/(content))?$/.exec(request.url.pathname) ?? [
      null,
      null,
    ];
    if (id === null) return null;
    const { method } = request;
    if (id === undefined) {
      if (method === 'POST') return this.#upload(request);
      return method === 'GET' ? this.#list(request) : null;
    }
    const file = this.#files.find(request.apiKey, id);
    if (file === undefined) return refused(404, { message: `No such File object: ${id}`, param: 'id' });
    if (method === 'GET') return ok(part === undefined ? fileObject(file) : file.content);
    if (method !== 'DELETE' || part !== undefined) return null;
    return ok({ id, object: 'file', deleted: this.#files.delete(request.apiKey, id) });
  }

  #list({ url, apiKey }: BatchRequest): HttpAnswer {
    const query = url.searchParams;
    const limit = Number(query.get('limit') ?? MOST_LISTED);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
      return refused(400, { message: `Invalid 'limit': expected 1 to ${MOST_LISTED}.`, param: 'limit' });
    }
    const purpose = query.get('purpose');
    const files = this.#files.of(apiKey).filter((file) => purpose === null || file.purpose === purpose);
    const ordered = query.get('order') === 'asc' ? files : files.toReversed();
    return ok(listOf(pageAfter(ordered, { after: query.get('after'), limit }), fileObject));
  }

  async #upload({ headers, bytes, apiKey }: BatchRequest): Promise<HttpAnswer> {
    const form = await formOf(headers['content-type'] ?? '', bytes);
    if (form === null) return refused(400, { message: 'Could not parse multipart form' });
    const [file, purpose] = [form.get('file'), form.get('purpose')];
    if (!(file instanceof File)) return refused(400, { message: "'file' is a required property" });
    if (typeof purpose !== 'string') return refused(400, { message: "'purpose' is a required property" });
    if (!PURPOSES.includes(purpose)) {
      const allowed = PURPOSES.map((own) => `'${own}'`).join(', ');
      return refused(400, { message: `'${purpose}' is not one of [${allowed}] - 'purpose'` });
    }
    if (purpose === 'batch') {
      // https://github.com/BerriAI/litellm/pull/37527 quotes it.
      if (!file.name.endsWith('.jsonl')) {
        return refused(400, { message: 'Invalid file format for Batch API. Must be .jsonl' });
      }
      if (file.size > BATCH_FILE_BYTES) return refused(400, { message: 'The file is larger than 200 MB.' });
    }
    const lasts = lifetimeOf(form, purpose);
    if (Number.isNaN(lasts)) return refused(400, { message: WRONG_LIFETIME, param: 'expires_after' });
    const stored = this.#files.add({
      apiKey,
      filename: file.name,
      purpose,
      content: Buffer.from(await file.arrayBuffer()),
      expiresAtMs: lasts === null ? null : Date.now() + lasts * 1_000,
    });
    return ok(fileObject(stored));
  }
}

const WRONG_LIFETIME = "Invalid 'expires_after': expected anchor 'created_at' and 3600 to 2592000 seconds.";

export function isLifetime(anchor: unknown, seconds: number): boolean {
  return anchor === 'created_at' && seconds >= 3_600 && seconds <= BATCH_FILE_SECONDS;
}

/** In seconds; null for a file that stays; NaN where the form has something else. */
function lifetimeOf(form: FormData, purpose: string): number | null {
  const [anchor, text] = [form.get('expires_after[anchor]'), form.get('expires_after[seconds]')];
  if (anchor === null && text === null) return purpose === 'batch' ? BATCH_FILE_SECONDS : null;
  const seconds = Number(text);
  return isLifetime(anchor, seconds) ? seconds : Number.NaN;
}

async function formOf(contentType: string, bytes: Buffer): Promise<FormData | null> {
  try {
    return await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData();
  } catch {
    return null;
  }
}

export function listOf<Item>(
  { data, hasMore }: { readonly data: readonly Item[]; readonly hasMore: boolean },
  objectOf: (item: Item) => { readonly id: string },
): object {
  const objects = data.map(objectOf);
  const ends = { first_id: objects.at(0)?.id ?? null, last_id: objects.at(-1)?.id ?? null };
  return { object: 'list', data: objects, ...ends, has_more: hasMore };
}

export function refused(status: number, problem: Problem): HttpAnswer {
  return { status, body: openAiBody(status, problem) };
}

export function isBatchFile(file: StoredFile): boolean {
  return file.purpose === 'batch';
}
