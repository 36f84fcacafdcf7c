/** `GET /v1/session`: the caller, and the routes that it may use. */
import type { RequestHandler } from 'express';
import type { SessionView } from '../../contracts/session.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { Caller } from '../access/api-keys.ts';
import { callerIn, hasScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function getSession({ config }: Pick<ApiDependencies, 'config'>): RequestHandler {
  const describe = describeSession(config);
  return (_request, response) => {
    response.json(describe(callerIn(response)));
  };
}

export function describeSession(config: Config): (caller: Caller) => SessionView {
  const { uiUrl, namespace } = config.temporal;
  const workflows =
    uiUrl === undefined
      ? null
      : `${uiUrl.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/`;
  const routes = Object.entries(config.routes).map(([name, { candidates }]) => ({
    name,
    candidates: candidates.map(({ provider, model }) => ({ provider, model })),
  }));
  return (caller) => {
    const { tenant, user, team, scopes } = caller;
    const temporalWorkflows = hasScope(caller, 'admin') ? workflows : null;
    return { tenant, user, team, scopes, routes, temporalWorkflows };
  };
}
