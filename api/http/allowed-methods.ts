/** 405 with `Allow` for a path that exists, but not with the method of the request. Asked only when no route took it. */
import type { IRouter, RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';

/** What a router keeps of each route or mounted router; Express names it but does not type `match`. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
  match(path: string): false | { readonly path: string };
}

export function refuseUnknown(router: IRouter): RequestHandler {
  return (request, response, next) => {
    const allowed = methodsOf(router.stack as unknown as readonly Layer[], request.path);
    if (allowed.size === 0) {
      next(new UnbrokenError('not_found', `There is no ${request.method} ${request.path}.`));
      return;
    }
    const methods = [...allowed].sort().join(', ');
    response.setHeader('allow', methods);
    next(
      new UnbrokenError('method_not_allowed', `${request.path} takes ${methods}, and no ${request.method}.`),
    );
  };
}

function methodsOf(stack: readonly Layer[], path: string): Set<string> {
  const found = new Set<string>();
  for (const layer of stack) {
    const match = layer.match(path);
    if (match === false) continue;
    if (layer.route !== undefined) {
      for (const method of Object.keys(layer.route.methods)) found.add(method.toUpperCase());
      if (found.has('GET')) found.add('HEAD');
    } else if (layer.handle.stack !== undefined) {
      const rest = path.slice(match.path.length) || '/';
      for (const method of methodsOf(layer.handle.stack, rest)) found.add(method);
    }
  }
  return found;
}
