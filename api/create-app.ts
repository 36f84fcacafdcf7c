/** The Express app: what every request passes, then one file per route. */
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Logger } from 'pino';
import { UnbrokenError } from '../contracts/errors.ts';
import { LIMITS } from '../contracts/limits.ts';
import { authenticate, authenticateStream, requireScope } from './access/authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { refuseUnknown } from './http/allowed-methods.ts';
import { isDisconnect } from './http/disconnect.ts';
import {
  crossOrigin,
  crossOriginOfUi,
  limitCaller,
  readJson,
  requireHost,
  securityHeaders,
} from './http/front-door.ts';
import { toPublicError } from './http/to-public-error.ts';
import { getBalances, listEntries, reconcileBudgets } from './routes/budgets/ledger.ts';
import { listLimits, removeLimit, setLimit } from './routes/budgets/limits.ts';
import { cancelGeneration } from './routes/cancel-generation.ts';
import { authenticateCodec, openCodecSession, showCodecForm } from './routes/codec-session.ts';
import { continueRoute } from './routes/continue-generation.ts';
import { createGeneration } from './routes/create-generation.ts';
import { createTicket } from './routes/create-ticket.ts';
import { decodePayloads } from './routes/decode-payloads.ts';
import {
  deleteCachedAnswer,
  deleteCachedAnswers,
  deleteCachedAnswersOfUser,
} from './routes/delete-cached-answers.ts';
import { explainRoute } from './routes/explain-route.ts';
import { getFeedback, giveFeedback, listFeedback } from './routes/feedback.ts';
import { getErrorPage } from './routes/get-error-page.ts';
import { getGeneration } from './routes/get-generation.ts';
import { getHealth, getReadiness } from './routes/get-health.ts';
import { getLogPage, getStanding } from './routes/get-log-page.ts';
import { getOpenApi } from './routes/get-openapi.ts';
import { getAssets, getPage } from './routes/get-page.ts';
import { getSession } from './routes/get-session.ts';
import { listGenerations } from './routes/list-generations.ts';
import { getModel, listModels } from './routes/list-models.ts';
import { listProviders } from './routes/list-providers.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './routes/manage-keys.ts';
import {
  addPromptVersion,
  getPrompt,
  getPromptStats,
  getPromptVersion,
  listPrompts,
  removePromptLabel,
  setPromptLabel,
} from './routes/prompts.ts';
import { raiseCap, stopGeneration } from './routes/steer-generation.ts';
import { streamEvents } from './routes/stream-events.ts';
import { addWireRoutes } from './wires/add-wire-routes.ts';
import { sendWireError } from './wires/send-wire-error.ts';

export function createApp(dependencies: ApiDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const watch of dependencies.watchRequests) app.use(watch);
  app.use(securityHeaders(), requireHost());
  app.use('/v1/codec', crossOriginOfUi(dependencies.config));
  app.use(crossOrigin(dependencies.config.cors));
  app.get('/', getPage());
  app.use('/assets', getAssets());
  app.get('/healthz', getHealth());
  app.get('/readyz', getReadiness(dependencies));
  app.get('/openapi.json', getOpenApi());
  app.get('/docs/errors/:code', getErrorPage());
  const v1 = express.Router();
  const limited = limitCaller(dependencies);
  const mayGenerate = requireScope('generate');
  v1.get(
    '/generations/:id/events',
    authenticateStream(dependencies),
    limited,
    mayGenerate,
    streamEvents(dependencies),
  );
  v1.get('/codec/session', showCodecForm());
  v1.post('/codec/session', openCodecSession(dependencies));
  const mayAdminister = requireScope('admin');
  v1.post(
    '/codec/decode',
    authenticateCodec(dependencies),
    limited,
    mayAdminister,
    readJson(dependencies),
    decodePayloads(dependencies),
  );
  v1.use(authenticate(dependencies), limited);
  v1.use('/embeddings', readJson({ ...dependencies, values: LIMITS.embeddingsJsonValues }));
  v1.use(readJson(dependencies));
  v1.get('/session', getSession(dependencies));
  v1.get('/keys', mayAdminister, listKeys(dependencies));
  v1.post('/keys', mayAdminister, createKey(dependencies));
  v1.post('/keys/:id/rotate', mayAdminister, rotateKey(dependencies));
  v1.delete('/keys/:id', mayAdminister, revokeKey(dependencies));
  v1.post('/generations/:id/cap', mayAdminister, raiseCap(dependencies));
  v1.post('/generations/:id/stop', mayAdminister, stopGeneration(dependencies));
  v1.get('/budgets/limits', mayAdminister, listLimits(dependencies));
  v1.put('/budgets/limits', mayAdminister, setLimit(dependencies));
  v1.delete('/budgets/limits', mayAdminister, removeLimit(dependencies));
  v1.get('/budgets/balances', mayAdminister, getBalances(dependencies));
  v1.get('/budgets/entries', mayAdminister, listEntries(dependencies));
  v1.post('/budgets/reconcile', mayAdminister, reconcileBudgets(dependencies));
  v1.delete('/cache', mayAdminister, deleteCachedAnswers(dependencies));
  v1.delete('/cache/users/:user', mayAdminister, deleteCachedAnswersOfUser(dependencies));
  v1.delete('/cache/entries/:id', mayAdminister, deleteCachedAnswer(dependencies));
  // Whatever comes after this needs `generate`, so that no route can forget it.
  v1.use(mayGenerate);
  v1.post('/tickets', createTicket(dependencies));
  v1.post('/generations', createGeneration(dependencies));
  v1.get('/generations', listGenerations(dependencies));
  v1.get('/generations/:id', getGeneration(dependencies));
  v1.get('/generations/:id/standing', getStanding(dependencies));
  v1.get('/generations/:id/pages/:page', getLogPage(dependencies));
  v1.post('/generations/:id/cancel', cancelGeneration(dependencies));
  v1.post('/generations/:id/continue', continueRoute(dependencies));
  v1.post('/generations/:id/feedback', giveFeedback(dependencies));
  v1.get('/generations/:id/feedback', getFeedback(dependencies));
  v1.get('/prompts', listPrompts(dependencies));
  v1.get('/prompts/:name', getPrompt(dependencies));
  v1.post('/prompts/:name/versions', requireScope('admin'), addPromptVersion(dependencies));
  v1.get('/prompts/:name/versions/:version', getPromptVersion(dependencies));
  v1.put('/prompts/:name/labels/:label', requireScope('admin'), setPromptLabel(dependencies));
  v1.delete('/prompts/:name/labels/:label', requireScope('admin'), removePromptLabel(dependencies));
  v1.get('/prompts/:name/stats', getPromptStats(dependencies));
  v1.get('/prompts/:name/feedback', listFeedback(dependencies));
  v1.post('/routes/explain', explainRoute(dependencies));
  v1.get('/providers', listProviders(dependencies));
  v1.get('/models', listModels(dependencies));
  v1.get('/models/:provider/*model', getModel(dependencies));
  addWireRoutes(v1, dependencies);
  app.use('/v1', v1);
  app.use(refuseUnknown(app.router));
  app.use(handleError(dependencies.logger));
  return app;
}

function handleError(logger: Logger): ErrorRequestHandler {
  return (error, request, response, _next) => {
    if (isDisconnect(error, response)) {
      logger.debug({ err: error, path: request.path }, 'the client disconnected');
      return;
    }
    const known = toUnbrokenError(error);
    if (known.entry.status >= 500) {
      logger.error({ ...loggable(error, known), path: request.path }, 'request failed');
    }
    if (response.headersSent) response.destroy();
    else sendWireError(request, response, known);
  };
}

/** A provider's words may quote a prompt: of an error with a code only that is logged, and what is behind our own. */
function loggable(
  error: unknown,
  { code }: UnbrokenError,
): { readonly code: string; readonly err?: unknown } {
  if (!(error instanceof UnbrokenError)) return { code, err: error };
  const isOurs = code === 'internal' || code === 'service_unavailable';
  return isOurs && error.cause !== undefined ? { code, err: error.cause } : { code };
}

/** Errors of the router and of the form's parser carry a status; everything unknown is `internal`. */
function toUnbrokenError(error: unknown): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new UnbrokenError('body_too_large', 'The body is too large.');
  if (status === 415) return new UnbrokenError('unsupported_media_type', 'The encoding is not supported.');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new UnbrokenError('invalid_request', 'The request cannot be read.');
  }
  return toPublicError(error);
}
