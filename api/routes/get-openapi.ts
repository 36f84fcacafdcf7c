/** `GET /openapi.json`. */
import type { RequestHandler } from 'express';
import { createOpenApiDocument } from '../openapi/create-document.ts';

export function getOpenApi(): RequestHandler {
  const document = createOpenApiDocument();
  return (_request, response) => {
    response.json(document);
  };
}
