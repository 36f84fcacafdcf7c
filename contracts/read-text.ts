/** Reads a response body up to a size, so that an error page of any length costs no more than its beginning. */

/** @param response its body is read or cancelled. @returns at most `maxBytes` of it, decoded as UTF-8. */
export async function readText(
  { body }: { readonly body: AsyncIterable<Uint8Array> | null },
  maxBytes: number,
): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let leftBytes = maxBytes;
  for await (const chunk of body) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.length;
    if (leftBytes <= 0) break;
  }
  return text + decoder.decode();
}
