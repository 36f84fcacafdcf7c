/** `GET /openapi.json`. */
import type { RequestHandler } from 'express';

/** The document is put together for the first who asks: that takes 0.2 s of CPU, which no start has to pay. */
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
