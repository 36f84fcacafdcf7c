/** Adds the routes of our own API, in the groups in which `create-app.ts` authenticates them. */
import type { Express, Router } from 'express';
import { authenticateStream, requireScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { limitCaller, readJson } from '../http/front-door.ts';
import { getBalances, listEntries, reconcileBudgets } from './budgets/ledger.ts';
import { listLimits, removeLimit, setLimit } from './budgets/limits.ts';
import { getCachedEntry, listCachedEntries } from './cached-entries.ts';
import { cancelGeneration } from './cancel-generation.ts';
import { authenticateCodec, openCodecSession, showCodecForm } from './codec-session.ts';
import { continueRoute } from './continue-generation.ts';
import { createGeneration } from './create-generation.ts';
import { createTicket } from './create-ticket.ts';
import { decodePayloads } from './decode-payloads.ts';
import {
  deleteCachedAnswer,
  deleteCachedAnswers,
  deleteCachedAnswersOfUser,
} from './delete-cached-answers.ts';
import { explainRoute } from './explain-route.ts';
import { getFeedback, giveFeedback, listFeedback } from './feedback.ts';
import { getDocs } from './get-docs.ts';
import { getErrorPage } from './get-error-page.ts';
import { getGeneration } from './get-generation.ts';
import { getHealth, getReadiness } from './get-health.ts';
import { getLogPage, getStanding } from './get-log-page.ts';
import { getOpenApi } from './get-openapi.ts';
import { getAssets, getPage } from './get-page.ts';
import { getSession } from './get-session.ts';
import { listGenerations } from './list-generations.ts';
import { getModel, listModels } from './list-models.ts';
import { listProviders } from './list-providers.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './manage-keys.ts';
import { createSignInLink, endPageSession, openPageSession } from './page-session.ts';
import {
  addPromptVersion,
  getPrompt,
  getPromptStats,
  getPromptVersion,
  listPrompts,
  removePromptLabel,
  setPromptLabel,
} from './prompts.ts';
import { raiseCap, stopGeneration } from './steer-generation.ts';
import { streamEvents } from './stream-events.ts';
import { getFailures, getLatencies, getUsage } from './usage/usage.ts';

/** Routes without a key. */
export function addPublicRoutes(app: Express, dependencies: ApiDependencies): void {
  app.get('/', getPage());
  app.use('/assets', getAssets());
  app.get('/healthz', getHealth());
  app.get('/readyz', getReadiness(dependencies));
  app.get('/openapi.json', getOpenApi());
  app.get('/docs/errors/:code', getErrorPage());
  app.use('/docs', getDocs());
}

/** How the page signs in and out, by a code and by its cookie. */
export function addPageSessionRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/session', openPageSession(dependencies));
  v1.delete('/session', endPageSession(dependencies));
}

/** Takes a key or a ticket. */
export function addStreamRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.get(
    '/generations/:id/events',
    authenticateStream(dependencies),
    limitCaller(dependencies),
    requireScope('generate'),
    streamEvents(dependencies),
  );
}

/** Takes a key or the cookie of a codec session. */
export function addCodecRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.get('/codec/session', showCodecForm());
  v1.post('/codec/session', openCodecSession(dependencies));
  v1.post(
    '/codec/decode',
    authenticateCodec(dependencies),
    limitCaller(dependencies),
    requireScope('admin'),
    readJson(dependencies),
    decodePayloads(dependencies),
  );
}

/** The session, the usage and the stored answers of any key, and all that needs the scope `admin`. */
export function addAdminRoutes(v1: Router, dependencies: ApiDependencies): void {
  const isAdmin = requireScope('admin');
  v1.get('/session', getSession(dependencies));
  v1.post('/session/links', createSignInLink(dependencies));
  v1.get('/usage', getUsage(dependencies));
  v1.get('/usage/latencies', getLatencies(dependencies));
  v1.get('/usage/failures', getFailures(dependencies));
  v1.get('/keys', isAdmin, listKeys(dependencies));
  v1.post('/keys', isAdmin, createKey(dependencies));
  v1.post('/keys/:id/rotate', isAdmin, rotateKey(dependencies));
  v1.delete('/keys/:id', isAdmin, revokeKey(dependencies));
  v1.post('/generations/:id/cap', isAdmin, raiseCap(dependencies));
  v1.post('/generations/:id/stop', isAdmin, stopGeneration(dependencies));
  v1.get('/budgets/limits', isAdmin, listLimits(dependencies));
  v1.put('/budgets/limits', isAdmin, setLimit(dependencies));
  v1.delete('/budgets/limits', isAdmin, removeLimit(dependencies));
  v1.get('/budgets/balances', isAdmin, getBalances(dependencies));
  v1.get('/budgets/entries', isAdmin, listEntries(dependencies));
  v1.post('/budgets/reconcile', isAdmin, reconcileBudgets(dependencies));
  v1.delete('/cache', isAdmin, deleteCachedAnswers(dependencies));
  v1.delete('/cache/users/:user', isAdmin, deleteCachedAnswersOfUser(dependencies));
  v1.get('/cache/entries', listCachedEntries(dependencies));
  v1.get('/cache/entries/:id', getCachedEntry(dependencies));
  v1.delete('/cache/entries/:id', deleteCachedAnswer(dependencies));
}

export function addGenerationRoutes(v1: Router, dependencies: ApiDependencies): void {
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
  v1.post('/routes/explain', explainRoute(dependencies));
  v1.get('/providers', listProviders(dependencies));
  v1.get('/models', listModels(dependencies));
  v1.get('/models/*id', getModel(dependencies));
}

/** Changing a prompt needs the scope `admin`, too. */
export function addPromptRoutes(v1: Router, dependencies: ApiDependencies): void {
  const isAdmin = requireScope('admin');
  v1.get('/prompts', listPrompts(dependencies));
  v1.get('/prompts/:name', getPrompt(dependencies));
  v1.post('/prompts/:name/versions', isAdmin, addPromptVersion(dependencies));
  v1.get('/prompts/:name/versions/:version', getPromptVersion(dependencies));
  v1.put('/prompts/:name/labels/:label', isAdmin, setPromptLabel(dependencies));
  v1.delete('/prompts/:name/labels/:label', isAdmin, removePromptLabel(dependencies));
  v1.get('/prompts/:name/stats', getPromptStats(dependencies));
  v1.get('/prompts/:name/feedback', listFeedback(dependencies));
}
