/** `GET /openapi.json`. */
import type { RequestHandler } from 'express';

/** The document is put together for the first who asks: its schemas would take a fifth of the start. */
export function getOpenApi(): RequestHandler {
  let document: Promise<object> | undefined;
  return async (_request, response) => {
    document ??= makeDocument();
    response.json(await document);
  };
}

async function makeDocument(): Promise<object> {
  const { createOpenApiDocument } = await import('../openapi/create-document.ts');
  return createOpenApiDocument();
}
