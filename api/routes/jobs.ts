/** `/v1/jobs`: runs of pipelines. */
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import {
  approvalRequestSchema,
  type JobView,
  jobRequestSchema,
  rerunRequestSchema,
} from '../../contracts/jobs.ts';
import { callerIn, seesTenant } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { pageLimitSchema, parseBody, parseQuery, requireJson } from '../http/read-request.ts';
import { compareJobs } from '../jobs/compare-jobs.ts';
import { estimateJob } from '../jobs/estimate-job.ts';
import { findJob } from '../jobs/find-job.ts';
import { parseJobCursor } from '../jobs/job-cursor.ts';
import { foldedJob, jobView, stepDetail } from '../jobs/job-view.ts';
import { relayJob } from '../jobs/relay-job.ts';
import { rerunJob } from '../jobs/rerun-job.ts';
import { submitJob } from '../jobs/start-job.ts';
import { cancelJob, decide, setPaused } from '../jobs/steer-job.ts';
import { hasWholeLog, isReadToEnd, lastEventIdOf } from '../relay/check-cursor.ts';
import { closedSignal, startSse } from '../relay/sse.ts';

type OfJob = RequestHandler<{ id: string }>;
type OfStep = RequestHandler<{ id: string; step: string }>;
type Head = Awaited<ReturnType<typeof findJob>>;

export const jobsQuerySchema = z.object({
  limit: pageLimitSchema({ most: 100, byDefault: 20 }),
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the "next" of the page before')
    .optional(),
});

/** 201 with the job. A request that is sent again with its Idempotency-Key joins the job that it started. */
export function createJob(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    requireJson(request);
    const caller = callerIn(response);
    const body = parseBody(request, jobRequestSchema);
    const id = await submitJob(dependencies, caller, body, request.get('idempotency-key'));
    const head = await findJob(dependencies, { ...caller, user: body.user ?? caller.user }, id);
    await answerCreated(dependencies, response, head);
  };
}

async function answerCreated(dependencies: ApiDependencies, response: Response, head: Head): Promise<void> {
  const view = await jobView(dependencies, head, { withOutput: false });
  const path = `/v1/jobs/${head.jobId}`;
  response
    .status(201)
    .location(path)
    .json({ ...view, events: `${path}/events` });
}

/** What a job can cost at most. Nothing is started. */
export function estimateRoute(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    requireJson(request);
    response.json(await estimateJob(dependencies, callerIn(response), parseBody(request, jobRequestSchema)));
  };
}

/** The newest first, without their documents. */
export function listJobs(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    const { limit, after } = parseQuery(request, jobsQuerySchema);
    const owner = { tenant: caller.tenant, user: seesTenant(caller) ? null : caller.user };
    const before = after === undefined ? null : Number(after);
    const heads = await dependencies.jobs.list(owner, { limit, before });
    const data: JobView[] = [];
    // In turn: each may have thousands of events.
    for (const head of heads) data.push(await jobView(dependencies, head, { withOutput: false }));
    const next = heads.length < limit ? null : String(heads.at(-1)?.createdAt);
    response.json({ data, next });
  };
}

export function getJob(dependencies: ApiDependencies): OfJob {
  return async (request, response) => {
    const head = await findJob(dependencies, callerIn(response), request.params.id);
    response.json(await jobView(dependencies, head, { withOutput: true }));
  };
}

/** A step with its value and all of its generations. */
export function getJobStep(dependencies: ApiDependencies): OfStep {
  return async (request, response) => {
    const { id, step: name } = request.params;
    const head = await findJob(dependencies, callerIn(response), id);
    const folded = await foldedJob(dependencies, head);
    const step = folded.steps.get(name);
    if (step === undefined) throw new UnbrokenError('not_found', `The job ${id} has no step ${name}.`);
    response.json(await stepDetail(dependencies, head, folded, step));
  };
}

/** The events of the job and of its generations, as SSE, from any cursor. */
export function streamJob(dependencies: ApiDependencies): OfJob {
  return async (request, response) => {
    const cursor = parseJobCursor(lastEventIdOf(request) ?? request.query['after']);
    const head = await findJob(dependencies, callerIn(response), request.params.id);
    if (cursor.after >= head.nextSeq) {
      throw new UnbrokenError('cursor_invalid', `The job's events end at ${head.nextSeq - 1}.`);
    }
    if (isReadToEnd(request, head, cursor.after)) {
      response.status(204).end();
      return;
    }
    const closed = closedSignal(response);
    startSse(response, head.jobId);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write('retry: 1000\n\n');
    const isRead = hasWholeLog(head, cursor.after);
    const signal = AbortSignal.any([closed, dependencies.leaving]);
    const withText = request.query['text'] !== 'false';
    const stream = { jobId: head.jobId, cursor, response, signal, withText };
    try {
      if (!isRead) await relayJob(dependencies, stream);
      response.end();
    } catch (error) {
      if (!closed.aborted) throw error;
    }
  };
}

export function cancelJobRoute(dependencies: ApiDependencies): OfJob {
  return steer(dependencies, (head) => cancelJob(dependencies, head));
}

export function pauseJob(dependencies: ApiDependencies): OfJob {
  return steer(dependencies, (head, caller) => setPaused(dependencies, caller, head, { isPaused: true }));
}

export function resumeJob(dependencies: ApiDependencies): OfJob {
  return steer(dependencies, (head, caller) => setPaused(dependencies, caller, head, { isPaused: false }));
}

/** Answers 202 with the job, which the change reaches soon. */
function steer(
  dependencies: ApiDependencies,
  act: (head: Head, caller: ReturnType<typeof callerIn>) => Promise<void>,
): OfJob {
  return async (request, response) => {
    const caller = callerIn(response);
    const head = await findJob(dependencies, caller, request.params.id);
    await act(head, caller);
    response.status(202).json(await jobView(dependencies, head, { withOutput: false }));
  };
}

export function approveStep(dependencies: ApiDependencies): OfStep {
  return decideOnStep(dependencies, { approved: true });
}

export function rejectStep(dependencies: ApiDependencies): OfStep {
  return decideOnStep(dependencies, { approved: false });
}

/** A person decides about a step; the first decision counts. */
function decideOnStep(dependencies: ApiDependencies, { approved }: { readonly approved: boolean }): OfStep {
  return async (request, response) => {
    const caller = callerIn(response);
    const { id, step } = request.params;
    const { note = null } = parseBody(request, approvalRequestSchema);
    const head = await findJob(dependencies, caller, id);
    await decide(dependencies, caller, head, { step, approved, note });
    response.status(202).json(await jobView(dependencies, head, { withOutput: false }));
  };
}

/** 201 with another job; this one stays readable. */
export function rerunRoute(dependencies: ApiDependencies): OfJob {
  return async (request, response) => {
    requireJson(request);
    const caller = callerIn(response);
    const body = parseBody(request, rerunRequestSchema);
    const head = await findJob(dependencies, caller, request.params.id);
    const idempotencyKey = request.get('idempotency-key');
    const id = await rerunJob(dependencies, caller, { head, request: body, idempotencyKey });
    const rerun = await findJob(dependencies, caller, id);
    await answerCreated(dependencies, response, rerun);
  };
}

export function compareRoute(dependencies: ApiDependencies): RequestHandler<{ id: string; other: string }> {
  return async (request, response) => {
    const caller = callerIn(response);
    const { id, other } = request.params;
    const [first, second] = await Promise.all(
      [id, other].map((jobId) => findJob(dependencies, caller, jobId)),
    );
    if (first === undefined || second === undefined)
      throw new UnbrokenError('not_found', 'There is no such job.');
    response.json(await compareJobs(dependencies, [first, second]));
  };
}
