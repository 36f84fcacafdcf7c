/**
 * Answers a request that no route took: 405 with `Allow` when the path exists with other methods, else 404.
 */
import type { IRouter, RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';

/** An entry of a router's stack: a route, a middleware or a mounted router. Express' types leave out `match`. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
  match(path: string): false | { readonly path: string };
}

const VERSION = '/v1';

/** @param webSockets the paths of WebSockets, which no route has. */
export function refuseUnknown(router: IRouter, webSockets: readonly string[] = []): RequestHandler {
  return (request, response, next) => {
    const hint =
      request.method === 'GET' && webSockets.includes(request.path)
        ? ' A WebSocket is there: a proxy in between must pass on the headers Upgrade and Connection.'
        : '';
    const allowed = methodsOf(router.stack as unknown as readonly Layer[], request.path);
    if (allowed.size === 0) {
      const versioned = `${VERSION}${request.path}`;
      const isVersioned = methodsOf(router.stack as unknown as readonly Layer[], versioned).size > 0;
      const fix = isVersioned ? ` There is ${versioned}: the base URL of a client ends in ${VERSION}.` : '';
      next(new UnbrokenError('not_found', `There is no ${request.method} ${request.path}.${fix}${hint}`));
      return;
    }
    const methods = [...allowed].sort().join(', ');
    response.setHeader('allow', methods);
    next(
      new UnbrokenError(
        'method_not_allowed',
        `${request.path} takes ${methods}, not ${request.method}.${hint}`,
      ),
    );
  };
}

function methodsOf(stack: readonly Layer[], path: string): Set<string> {
  const methods = new Set<string>();
  for (const layer of stack) {
    const match = layer.match(path);
    if (match === false) continue;
    if (layer.route !== undefined) {
      for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
      if (methods.has('GET')) methods.add('HEAD');
    } else if (layer.handle.stack !== undefined) {
      const rest = path.slice(match.path.length) || '/';
      for (const method of methodsOf(layer.handle.stack, rest)) methods.add(method);
    }
  }
  return methods;
}
