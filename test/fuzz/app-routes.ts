/** Every route of the Express app, read from its own router: a new one is here without anybody's doing. */
import type { Express } from 'express';
import { createApp } from '../../api/create-app.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { loadConfig } from '../../platform/config/load-config.ts';

export interface AppRoute {
  readonly method: string;
  /** As Express has it, such as /v1/generations/:id. */
  readonly path: string;
}

/** Where routers are mounted. Express keeps no path of a mounted router, only whether it matches one. */
const MOUNTS = ['/v1', '/docs'];

interface Layer {
  readonly name: string;
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
  match(path: string): unknown;
}

/** The app with nothing behind it: good for its router alone. */
function bareApp(): Express {
  const nothing: unknown = new Proxy(() => nothing, { get: () => nothing, apply: () => nothing });
  const own: Partial<ApiDependencies> = { config: loadConfig({}), watchRequests: [] };
  const dependencies = new Proxy(own, {
    get: (target, name) => (name in target ? target[name as keyof ApiDependencies] : nothing),
  });
  return createApp(dependencies as ApiDependencies);
}

/** @throws where a router is mounted at a path that is not known here: its routes would not be tried. */
export function routesOfApp(): AppRoute[] {
  const layers = bareApp().router.stack as unknown as readonly Layer[];
  return routesIn(layers, '');
}

function routesIn(layers: readonly Layer[], prefix: string): AppRoute[] {
  return layers.flatMap((layer) => {
    if (layer.route !== undefined) {
      const path = `${prefix}${layer.route.path}`;
      return Object.keys(layer.route.methods).map((method) => ({ method: method.toUpperCase(), path }));
    }
    const { stack } = layer.handle;
    if (stack === undefined) return [];
    const mount = MOUNTS.find((path) => layer.match(`${path}/x`) !== false && layer.match('/x') === false);
    if (mount === undefined)
      throw new Error('a router is mounted where test/fuzz/app-routes.ts does not look');
    return routesIn(stack, `${prefix}${mount}`);
  });
}
