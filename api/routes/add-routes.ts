/** Adds the routes of our own API, in the groups in which `create-app.ts` authenticates them. */
import type { Express, Request, RequestHandler, Router } from 'express';
import { authenticateStream, requireScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { limitCaller, readJson } from '../http/front-door.ts';
import { getBalances, listEntries, reconcileBudgets } from './budgets/ledger.ts';
import { listLimits, removeLimit, setLimit } from './budgets/limits.ts';
import { getCachedEntry, listCachedEntries } from './cached-entries.ts';
import { cancelGeneration } from './cancel-generation.ts';
import { authenticateCodec, openCodecSession, showCodecForm } from './codec-session.ts';
import { liftComplaint, listComplaints } from './complaints.ts';
import { continueRoute } from './continue-generation.ts';
import { createGeneration } from './create-generation.ts';
import { createTicket } from './create-ticket.ts';
import { decodePayloads } from './decode-payloads.ts';
import {
  deleteCachedAnswer,
  deleteCachedAnswers,
  deleteCachedAnswersOfUser,
} from './delete-cached-answers.ts';
import { deleteGeneration, eraseJob, eraseUser, getErasure, listErasures } from './erasures.ts';
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
import {
  approveStep,
  cancelJobRoute,
  compareRoute,
  createJob,
  estimateRoute,
  getJob,
  getJobStep,
  listJobs,
  pauseJob,
  rejectStep,
  rerunRoute,
  resumeJob,
  streamJob,
} from './jobs.ts';
import { listGenerations } from './list-generations.ts';
import { getModel, listModels } from './list-models.ts';
import { listProviders } from './list-providers.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './manage-keys.ts';
import { createSignInLink, endPageSession, openPageSession } from './page-session.ts';
import {
  addPipeline,
  getPipeline,
  getPipelineSchema,
  getPipelineVersion,
  listPipelines,
  removePipelineLabel,
  setPipelineLabel,
} from './pipelines.ts';
import {
  addPromptVersion,
  getPrompt,
  getPromptStats,
  getPromptVersion,
  listPrompts,
  removePromptLabel,
  setPromptLabel,
} from './prompts.ts';
import {
  addSchedule,
  backfillSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  triggerSchedule,
  unpauseSchedule,
} from './schedules.ts';
import { raiseCap, stopGeneration } from './steer-generation.ts';
import { streamEvents } from './stream-events.ts';
import { getFailures, getLatencies, getUsage } from './usage/usage.ts';
import { getDelivery, listDeliveries, resendDelivery } from './webhooks/deliveries.ts';
import {
  createEndpoint,
  getEndpoint,
  listEndpoints,
  listEventTypes,
  removeEndpoint,
  rotateEndpointSecret,
  testEndpoint,
  updateEndpoint,
} from './webhooks/endpoints.ts';

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

/** Of any key, whatever its scopes: the session, and what its user may see or erase. */
export function addOwnRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.get('/session', getSession(dependencies));
  v1.post('/session/links', createSignInLink(dependencies));
  v1.get('/usage', getUsage(dependencies));
  v1.get('/usage/latencies', getLatencies(dependencies));
  v1.get('/usage/failures', getFailures(dependencies));
  v1.get('/cache/entries', listCachedEntries(dependencies));
  v1.get('/cache/entries/:id', getCachedEntry(dependencies));
  v1.delete('/cache/entries/:id', deleteCachedAnswer(dependencies));
  v1.get('/cache/complaints', listComplaints(dependencies));
  v1.delete('/users/:user/data', eraseUser(dependencies));
  v1.get('/erasures', listErasures(dependencies));
  v1.get('/erasures/:id', getErasure(dependencies));
}

/** Of keys with the scope `admin`. */
export function addAdminRoutes(v1: Router, dependencies: ApiDependencies): void {
  const admin = forAdmins(v1);
  admin.get('/keys', listKeys(dependencies));
  admin.post('/keys', createKey(dependencies));
  admin.post('/keys/:id/rotate', rotateKey(dependencies));
  admin.delete('/keys/:id', revokeKey(dependencies));
  admin.post('/generations/:id/cap', raiseCap(dependencies));
  admin.post('/generations/:id/stop', stopGeneration(dependencies));
  admin.get('/budgets/limits', listLimits(dependencies));
  admin.put('/budgets/limits', setLimit(dependencies));
  admin.delete('/budgets/limits', removeLimit(dependencies));
  admin.get('/budgets/balances', getBalances(dependencies));
  admin.get('/budgets/entries', listEntries(dependencies));
  admin.post('/budgets/reconcile', reconcileBudgets(dependencies));
  admin.delete('/cache', deleteCachedAnswers(dependencies));
  admin.delete('/cache/users/:user', deleteCachedAnswersOfUser(dependencies));
  admin.delete('/cache/entries/:id/complaints/:generation', liftComplaint(dependencies));
  addWebhookRoutes(v1, dependencies);
}

function addWebhookRoutes(v1: Router, dependencies: ApiDependencies): void {
  const admin = forAdmins(v1);
  admin.get('/webhook_event_types', listEventTypes());
  admin.get('/webhook_endpoints', listEndpoints(dependencies));
  admin.post('/webhook_endpoints', createEndpoint(dependencies));
  admin.get('/webhook_endpoints/:id', getEndpoint(dependencies));
  admin.post('/webhook_endpoints/:id', updateEndpoint(dependencies));
  admin.delete('/webhook_endpoints/:id', removeEndpoint(dependencies));
  admin.post('/webhook_endpoints/:id/rotate_secret', rotateEndpointSecret(dependencies));
  admin.post('/webhook_endpoints/:id/test', testEndpoint(dependencies));
  admin.get('/webhook_deliveries', listDeliveries(dependencies));
  admin.get('/webhook_deliveries/:id', getDelivery(dependencies));
  admin.post('/webhook_deliveries/:id/resend', resendDelivery(dependencies));
}

/** Of keys with the scope `generate`, like all that follow. */
export function addGenerationRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/tickets', createTicket(dependencies));
  v1.post('/generations', createGeneration(dependencies));
  v1.get('/generations', listGenerations(dependencies));
  v1.get('/generations/:id', getGeneration(dependencies));
  v1.delete('/generations/:id', deleteGeneration(dependencies));
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
  const admin = forAdmins(v1);
  v1.get('/prompts', listPrompts(dependencies));
  v1.get('/prompts/:name', getPrompt(dependencies));
  admin.post('/prompts/:name/versions', addPromptVersion(dependencies));
  v1.get('/prompts/:name/versions/:version', getPromptVersion(dependencies));
  admin.put('/prompts/:name/labels/:label', setPromptLabel(dependencies));
  admin.delete('/prompts/:name/labels/:label', removePromptLabel(dependencies));
  v1.get('/prompts/:name/stats', getPromptStats(dependencies));
  v1.get('/prompts/:name/feedback', listFeedback(dependencies));
}

/** Changing a pipeline needs the scope `admin`, too; running one does not. */
export function addJobRoutes(v1: Router, dependencies: ApiDependencies): void {
  const admin = forAdmins(v1);
  v1.get('/pipelines', listPipelines(dependencies));
  admin.post('/pipelines', addPipeline(dependencies));
  v1.get('/pipelines/schema.json', getPipelineSchema());
  v1.get('/pipelines/:name', getPipeline(dependencies));
  v1.get('/pipelines/:name/versions/:version', getPipelineVersion(dependencies));
  admin.put('/pipelines/:name/labels/:label', setPipelineLabel(dependencies));
  admin.delete('/pipelines/:name/labels/:label', removePipelineLabel(dependencies));
  v1.post('/jobs', createJob(dependencies));
  v1.get('/jobs', listJobs(dependencies));
  v1.post('/jobs/estimate', estimateRoute(dependencies));
  v1.get('/jobs/:id', getJob(dependencies));
  v1.delete('/jobs/:id', eraseJob(dependencies));
  v1.get('/jobs/:id/events', streamJob(dependencies));
  v1.get('/jobs/:id/steps/:step', getJobStep(dependencies));
  v1.get('/jobs/:id/compare/:other', compareRoute(dependencies));
  v1.post('/jobs/:id/cancel', cancelJobRoute(dependencies));
  v1.post('/jobs/:id/pause', pauseJob(dependencies));
  v1.post('/jobs/:id/resume', resumeJob(dependencies));
  v1.post('/jobs/:id/rerun', rerunRoute(dependencies));
  v1.post('/jobs/:id/steps/:step/approve', approveStep(dependencies));
  v1.post('/jobs/:id/steps/:step/reject', rejectStep(dependencies));
  v1.get('/schedules', listSchedules(dependencies));
  v1.post('/schedules', addSchedule(dependencies));
  v1.get('/schedules/:id', getSchedule(dependencies));
  v1.post('/schedules/:id/pause', pauseSchedule(dependencies));
  v1.post('/schedules/:id/unpause', unpauseSchedule(dependencies));
  v1.post('/schedules/:id/trigger', triggerSchedule(dependencies));
  v1.post('/schedules/:id/backfill', backfillSchedule(dependencies));
  v1.delete('/schedules/:id', removeSchedule(dependencies));
}

type PathParameters = Request['params'];

/** Adds routes that need the scope `admin`. No route can forget it, because it is added here. */
function forAdmins(v1: Router) {
  const isAdmin = requireScope('admin');
  return {
    get: <P extends PathParameters>(path: string, handler: RequestHandler<P>) =>
      v1.get<P>(path, isAdmin, handler),
    post: <P extends PathParameters>(path: string, handler: RequestHandler<P>) =>
      v1.post<P>(path, isAdmin, handler),
    put: <P extends PathParameters>(path: string, handler: RequestHandler<P>) =>
      v1.put<P>(path, isAdmin, handler),
    delete: <P extends PathParameters>(path: string, handler: RequestHandler<P>) =>
      v1.delete<P>(path, isAdmin, handler),
  };
}
