/** What stands behind the address of a picture in a request. */

/** Clients of gateways send documents as pictures: of chat completions, not every server takes a file. */
export function isDocument(url: string): boolean {
  return /^data:(?!image\/)[\w.+-]+\/[\w.+-]+;base64,/i.test(url);
}
