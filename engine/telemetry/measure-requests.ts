/** Measures every request of the API by its route's pattern, never by its path, which contains ids. */
import type { RequestHandler } from 'express';
import { CALL_SECONDS, type Metrics } from './metrics.ts';

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']);

export function measureRequests(metrics: Metrics): RequestHandler {
  const duration = metrics.histogram(
    'http_server_request_duration_seconds',
    'From a request to the end of its response; a stream is as long as its generation',
    CALL_SECONDS,
    ['http_request_method', 'http_route', 'http_response_status_code'],
  );
  const open = metrics.gauge('http_server_active_requests', 'Requests without the end of their response');
  return (request, response, next) => {
    const begunAt = performance.now();
    open.inc();
    response.once('close', () => {
      open.dec();
      duration.observe(
        {
          http_request_method: METHODS.has(request.method) ? request.method : '_OTHER',
          http_route: routeOf(request),
          http_response_status_code: String(response.statusCode),
        },
        (performance.now() - begunAt) / 1_000,
      );
    });
    next();
  };
}

/** @returns the pattern, such as /v1/generations/:id; `none` if no route matched. */
export function routeOf(request: Parameters<RequestHandler>[0]): string {
  const route: unknown = request.route;
  const isRoute = typeof route === 'object' && route !== null && 'path' in route;
  return isRoute ? `${request.baseUrl}${String(route.path)}` : 'none';
}
