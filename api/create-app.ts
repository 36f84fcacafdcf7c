/** The Express app: what every request passes, then one file per route. */
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Logger } from 'pino';
import { UnbrokenError } from '../contracts/errors.ts';
import { LIMITS } from '../contracts/limits.ts';
import { authenticate, requireScope } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { cancelGeneration } from './routes/cancel-generation.ts';
import { createGeneration } from './routes/create-generation.ts';
import {
  deleteCachedAnswer,
  deleteCachedAnswers,
  deleteCachedAnswersOfUser,
} from './routes/delete-cached-answers.ts';
import { getErrorPage } from './routes/get-error-page.ts';
import { getGeneration } from './routes/get-generation.ts';
import { getHealth, getReadiness } from './routes/get-health.ts';
import { getOpenApi } from './routes/get-openapi.ts';
import { listGenerations } from './routes/list-generations.ts';
import { streamEvents } from './routes/stream-events.ts';
import { sendError } from './send-error.ts';

export function createApp(dependencies: ApiDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    next();
  });
  app.get('/healthz', getHealth());
  app.get('/readyz', getReadiness(dependencies));
  app.get('/openapi.json', getOpenApi());
  app.get('/docs/errors/:code', getErrorPage());
  const v1 = express.Router();
  v1.use(authenticate(dependencies));
  v1.use(express.json({ limit: LIMITS.requestBodyBytes, type: 'application/json' }));
  v1.post('/generations', createGeneration(dependencies));
  v1.get('/generations', listGenerations(dependencies));
  v1.get('/generations/:id', getGeneration(dependencies));
  v1.get('/generations/:id/events', streamEvents(dependencies));
  v1.post('/generations/:id/cancel', cancelGeneration(dependencies));
  v1.delete('/cache', requireScope('admin'), deleteCachedAnswers(dependencies));
  v1.delete('/cache/users/:user', requireScope('admin'), deleteCachedAnswersOfUser(dependencies));
  v1.delete('/cache/entries/:id', requireScope('admin'), deleteCachedAnswer(dependencies));
  app.use('/v1', v1);
  app.use((request, _response, next) => {
    next(new UnbrokenError('not_found', `There is no ${request.method} ${request.path}.`));
  });
  app.use(handleError(dependencies.logger));
  return app;
}

function handleError(logger: Logger): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const known = toUnbrokenError(error);
    if (known.entry.status >= 500) logger.error({ err: error, path: request.path }, 'request failed');
    if (response.headersSent) response.destroy();
    else sendError(response, known);
  };
}

/** Errors of the body parser and the router carry a status and a type; everything unknown is `internal`. */
function toUnbrokenError(error: unknown): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (type === 'entity.too.large') {
    return new UnbrokenError('body_too_large', `The body is over ${LIMITS.requestBodyBytes} bytes.`);
  }
  if (type === 'entity.parse.failed') return new UnbrokenError('invalid_json', 'The body is not valid JSON.');
  if (status === 415) return new UnbrokenError('unsupported_media_type', 'The encoding is not supported.');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new UnbrokenError('invalid_request', 'The request cannot be read.');
  }
  return new UnbrokenError('internal', 'Something failed on our side.', { cause: error });
}
