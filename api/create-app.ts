/**
 * Builds the Express app: what every request passes, in order, and then the routes. A request that no route takes is
 * refused, and every error is answered in one place.
 */
import express, { type Express } from 'express';
import { LIMITS } from '../contracts/limits.ts';
import { authenticate, requireScope } from './access/authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { refuseUnknown } from './http/allowed-methods.ts';
import {
  crossOrigin,
  crossOriginOfUi,
  limitCaller,
  readJson,
  requestIds,
  requireHost,
  securityHeaders,
} from './http/front-door.ts';
import { handleError } from './http/handle-error.ts';
import { withPlainPath } from './http/plain-path.ts';
import { SOCKET_PATHS } from './relay/socket-route.ts';
import {
  addAdminRoutes,
  addCodecRoutes,
  addGenerationRoutes,
  addJobRoutes,
  addOwnRoutes,
  addPageSessionRoutes,
  addPromptRoutes,
  addPublicRoutes,
  addStreamRoutes,
} from './routes/add-routes.ts';
import { addUploadRoutes, addWireRoutes } from './wires/add-wire-routes.ts';
import { sendWireError } from './wires/send-wire-error.ts';

export function createApp(dependencies: ApiDependencies): Express {
  const { bodies, config, logger, watchRequests } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(withPlainPath());
  for (const watch of watchRequests) app.use(watch);
  app.use(securityHeaders(), requestIds(), requireHost());
  app.use('/v1/codec', crossOriginOfUi(config));
  app.use(crossOrigin(config.cors));
  addPublicRoutes(app, dependencies);
  const v1 = express.Router();
  // These authenticate in their own way, for browsers that cannot send a header.
  addPageSessionRoutes(v1, dependencies);
  addStreamRoutes(v1, dependencies);
  addCodecRoutes(v1, dependencies);
  v1.use(authenticate(dependencies), limitCaller(dependencies));
  addUploadRoutes(v1, dependencies);
  const { bodyBytes, jsonValues: values } = config.http;
  const ofTokens = Math.max(values, LIMITS.embeddingsJsonValues);
  v1.use('/embeddings', readJson({ bodies, bodyBytes, values: ofTokens }));
  v1.use(readJson({ bodies, bodyBytes, values }));
  addOwnRoutes(v1, dependencies);
  addAdminRoutes(v1, dependencies);
  // Every route after this needs `generate`, so no route can forget it.
  v1.use(requireScope('generate'));
  addGenerationRoutes(v1, dependencies);
  addPromptRoutes(v1, dependencies);
  addJobRoutes(v1, dependencies);
  addWireRoutes(v1, dependencies);
  app.use('/v1', v1);
  app.use(refuseUnknown(app.router, Object.values(SOCKET_PATHS)));
  app.use(handleError(logger, sendWireError));
  return app;
}
