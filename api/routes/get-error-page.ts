/** `GET /docs/errors/:code`: the page to which the `doc` of an error links. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';

const PAGES = join(import.meta.dirname, '..', '..', 'docs', 'errors');

export function getErrorPage(): RequestHandler<{ code: string }> {
  return async (request, response) => {
    const { code } = request.params;
    if (!isErrorCode(code)) throw new UnbrokenError('not_found', 'There is no such error code.');
    response.type('text/markdown').send(await readFile(join(PAGES, `${code}.md`), 'utf8'));
  };
}
