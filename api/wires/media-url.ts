/** What stands behind the address of a picture in a request. */
import { typeOfDataUrl } from '../../contracts/media-urls.ts';

/** Clients of gateways send documents as pictures: of chat completions, not every server takes a file. */
export function isDocument(url: string): boolean {
  const type = typeOfDataUrl(url);
  return type !== null && !type.startsWith('image/');
}
