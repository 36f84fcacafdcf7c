/**
 * Clients of Anthropic add the version of the API to their base URL, and those of OpenAI do not: with the base URL of
 * the other, they ask for `/v1/v1/messages`.
 */
import type { RequestHandler } from 'express';

export function withoutRepeatedVersion(): RequestHandler {
  return (request, _response, next) => {
    const url = request.url.replace(/^\/v1(?=\/v1\/)/, '');
    if (url !== request.url) {
      request.url = url;
      // By this, errors find the format that the client reads.
      request.originalUrl = url;
    }
    next();
  };
}
