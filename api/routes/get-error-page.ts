/**
 * `GET /docs/errors/:code`: the page to which the `doc` of an error links. A browser gets the page of the site, every
 * other client the Markdown.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { isForSite } from './get-docs.ts';

const PAGES = join(import.meta.dirname, '..', '..', 'docs', 'errors');

export function getErrorPage(): RequestHandler<{ code: string }> {
  return async (request, response, next) => {
    response.vary('Accept');
    if (isForSite(request)) {
      next();
      return;
    }
    const { code } = request.params;
    if (!isErrorCode(code)) throw new UnbrokenError('not_found', 'There is no such error code.');
    response.type('text/markdown').send(await readFile(join(PAGES, `${code}.md`), 'utf8'));
  };
}
