/**
 * Paths as base URLs make them. Clients of Anthropic add the version of the API to their base URL, and those of OpenAI
 * do not: with the base URL of the other, they ask for `/v1/v1/messages`. With a base URL that ends in a slash, some
 * ask for `/v1//messages`.
 */
import type { RequestHandler } from 'express';

export function withPlainPath(): RequestHandler {
  return (request, _response, next) => {
    const url = plainUrl(request.url);
    if (url !== request.url) {
      request.url = url;
      // By this, errors find the format that the client reads.
      request.originalUrl = url;
    }
    next();
  };
}

export function plainUrl(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.replaceAll(/\/{2,}/g, '/').replace(/^\/v1(?=\/v1\/)/, '') + url.slice(path.length);
}
