/** The form with which the lines of a batch are uploaded. Source: OpenAI API reference, "Upload file". */
import { randomUUID } from 'node:crypto';
import type { EncodedLine } from '../provider-batches.ts';

/** The vendor deletes the files after this, if we have not: a batch takes a day at most. */
export const KEPT_SECONDS = 7 * 24 * 3_600;

export function fileNameOf(submissionId: string): string {
  return `unbroken-${submissionId}.jsonl`;
}

export function uploadForm(
  submissionId: string,
  lines: readonly EncodedLine[],
): { readonly body: Buffer; readonly contentType: string } {
  // No line contains it: it is chosen after they were written.
  const boundary = `unbroken-${randomUUID()}`;
  const field = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const fields = [
    field('purpose', 'batch'),
    field('expires_after[anchor]', 'created_at'),
    field('expires_after[seconds]', String(KEPT_SECONDS)),
  ];
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${fileNameOf(submissionId)}"\r\nContent-Type: application/jsonl\r\n\r\n`;
  const content = lines.map(({ text }) => `${text}\n`);
  return {
    body: Buffer.from([...fields, head, ...content, `\r\n--${boundary}--\r\n`].join('')),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}
