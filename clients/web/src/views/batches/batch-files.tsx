/** The files of a batch: what was sent, the answers, and what failed. */
import { useState } from 'preact/hooks';
import { errorFromResponse } from '../../../../typescript/errors.ts';
import { saveFile } from '../../save-file.ts';
import { pageFetch } from '../../session.ts';
import { Failure } from '../parts.tsx';
import type { Batch } from './batch-shape.ts';

export function BatchFiles({ batch }: { batch: Batch }) {
  const [error, setError] = useState<Error | null>(null);
  const [loading, setLoading] = useState<string | null>(null);
  const download = async (fileId: string, name: string) => {
    setLoading(fileId);
    setError(null);
    try {
      saveFile(name, await readFile(fileId));
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setLoading(null);
    }
  };
  const files = [
    { what: 'answers', fileId: batch.output_file_id, suffix: 'output' },
    { what: 'errors', fileId: batch.error_file_id, suffix: 'error' },
    { what: 'input', fileId: isMessageBatch(batch) ? null : batch.input_file_id, suffix: 'input' },
  ] as const;
  return (
    <section class="card" aria-labelledby="files-title">
      <h2 id="files-title">Files</h2>
      <div class="row">
        {files.map(
          ({ what, fileId, suffix }) =>
            fileId !== null && (
              <button
                key={what}
                type="button"
                disabled={loading === fileId}
                onClick={() => download(fileId, `${batch.id}_${suffix}.jsonl`)}
              >
                Download the {what}
              </button>
            ),
        )}
      </div>
      {batch.output_file_id === null && batch.error_file_id === null && (
        <p class="hint">The files of results are written when the batch has ended.</p>
      )}
      {error !== null && <Failure error={error} />}
    </section>
  );
}

/** Its requests came in the body, and are deleted with its end. */
function isMessageBatch({ endpoint }: Batch): boolean {
  return endpoint === '/v1/messages';
}

/** Without a time limit: a file may have hundreds of megabytes, which the browser keeps on disk. */
async function readFile(fileId: string): Promise<Blob> {
  const response = await pageFetch(`/v1/files/${encodeURIComponent(fileId)}/content`);
  if (!response.ok) throw await errorFromResponse(response);
  return response.blob();
}
