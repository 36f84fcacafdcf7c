/** The routes of pipelines and jobs in the OpenAPI document. */
import { z } from 'zod';
import {
  approvalRequestSchema,
  jobComparisonSchema,
  jobEstimateSchema,
  jobEventBodySchema,
  jobRequestSchema,
  jobStepDetailSchema,
  jobViewSchema,
  rerunRequestSchema,
} from '../../contracts/jobs.ts';
import {
  newPipelineSchema,
  pipelineLabelSchema,
  pipelineNameSchema,
  pipelineVersionViewSchema,
  pipelineViewSchema,
  stepNameSchema,
} from '../../contracts/pipelines.ts';
import { labelNameSchema, versionNumberSchema } from '../../contracts/prompts.ts';
import { jobsQuerySchema } from '../routes/jobs.ts';
import { hoisted } from './hoisted.ts';
import {
  answer,
  eventStream,
  failure,
  idempotencyKey,
  inHeader,
  inPath,
  inQuery,
  jsonContent,
  jsonList,
  jsonPage,
  nothingMore,
  optionalBody,
  queryOf,
  requiredBody,
} from './parts.ts';

const input = { io: 'input' } as const;

export const jobSchemas = {
  ...hoisted('NewPipeline', newPipelineSchema),
  Pipeline: z.toJSONSchema(pipelineViewSchema),
  PipelineLabel: z.toJSONSchema(pipelineLabelSchema, input),
  ...hoisted('PipelineVersion', pipelineVersionViewSchema),
  ...hoisted('JobRequest', jobRequestSchema),
  RerunRequest: z.toJSONSchema(rerunRequestSchema, input),
  ApprovalRequest: z.toJSONSchema(approvalRequestSchema, input),
  Job: z.toJSONSchema(jobViewSchema),
  CreatedJob: z.toJSONSchema(jobViewSchema.extend({ events: z.string().describe('Where its events are.') })),
  ...hoisted('JobStep', jobStepDetailSchema),
  JobEvent: z.toJSONSchema(jobEventBodySchema),
  JobEstimate: z.toJSONSchema(jobEstimateSchema),
  JobComparison: z.toJSONSchema(jobComparisonSchema),
};

const id = inPath('id');
const step = inPath('step', z.toJSONSchema(stepNameSchema));
const name = inPath('name', z.toJSONSchema(pipelineNameSchema));
const label = inPath('label', z.toJSONSchema(labelNameSchema));
const version = inPath('version', z.toJSONSchema(versionNumberSchema));
const accepted = { 202: answer('The job', 'Job'), default: failure };

export const jobPaths = {
  '/v1/pipelines': {
    get: {
      summary: 'List the pipelines',
      responses: { 200: { description: 'The pipelines', content: jsonList('Pipeline') }, default: failure },
    },
    post: {
      summary: 'Add a version of a pipeline; needs the scope admin',
      requestBody: requiredBody('NewPipeline'),
      responses: {
        200: answer('The version that has this content already', 'PipelineVersion'),
        201: answer('The new version', 'PipelineVersion'),
        default: failure,
      },
    },
  },
  '/v1/pipelines/schema.json': {
    get: {
      summary: 'The JSON Schema of a pipeline, for editors',
      responses: {
        200: { description: 'A JSON Schema', content: jsonContent({ type: 'object' }) },
        default: failure,
      },
    },
  },
  '/v1/pipelines/{name}': {
    get: {
      summary: 'Read a pipeline: its newest version and its labels',
      parameters: [name],
      responses: { 200: answer('The pipeline', 'Pipeline'), default: failure },
    },
  },
  '/v1/pipelines/{name}/versions/{version}': {
    get: {
      summary: 'Read a version of a pipeline',
      parameters: [name, version],
      responses: { 200: answer('The version', 'PipelineVersion'), default: failure },
    },
  },
  '/v1/pipelines/{name}/labels/{label}': {
    put: {
      summary: 'Point a label to a version; needs the scope admin',
      parameters: [name, label],
      requestBody: requiredBody('PipelineLabel'),
      responses: { 200: answer('The pipeline', 'Pipeline'), default: failure },
    },
    delete: {
      summary: 'Remove a label; needs the scope admin',
      parameters: [name, label],
      responses: { 200: answer('The pipeline', 'Pipeline'), default: failure },
    },
  },
  '/v1/jobs': {
    post: {
      summary: 'Run a pipeline',
      parameters: [idempotencyKey()],
      requestBody: requiredBody('JobRequest'),
      responses: { 201: answer('The job', 'CreatedJob'), default: failure },
    },
    get: {
      summary: 'List jobs, the newest first',
      parameters: queryOf(jobsQuerySchema),
      responses: {
        200: { description: 'A page without documents', content: jsonPage('Job') },
        default: failure,
      },
    },
  },
  '/v1/jobs/estimate': {
    post: {
      summary: 'What a job can cost at most; nothing is started',
      requestBody: requiredBody('JobRequest'),
      responses: { 200: answer('The estimate', 'JobEstimate'), default: failure },
    },
  },
  '/v1/jobs/{id}': {
    get: {
      summary: 'Read a job, with its document',
      parameters: [id],
      responses: { 200: answer('The job', 'Job'), default: failure },
    },
    delete: {
      summary: 'Erase a job with its generations',
      parameters: [id],
      responses: { 202: answer('The receipt, while it runs', 'Erasure'), default: failure },
    },
  },
  '/v1/jobs/{id}/events': {
    get: {
      summary: 'Follow a job and its generations',
      parameters: [
        id,
        inQuery('after', { type: 'string' }, 'The `cursor` of the last event that you have'),
        inQuery(
          'text',
          { type: 'string', enum: ['true', 'false'] },
          'false: without the events of generations',
        ),
        inHeader('Last-Event-ID', { type: 'string' }),
        inQuery('lastEventId', { type: 'string' }, 'In place of Last-Event-ID, as polyfills send it'),
      ],
      responses: {
        200: { description: 'Events as SSE: id is the cursor, data is a JobEvent', content: eventStream },
        204: nothingMore,
        default: failure,
      },
    },
  },
  '/v1/jobs/{id}/steps/{step}': {
    get: {
      summary: 'Read a step: its value and its generations',
      parameters: [id, step],
      responses: { 200: answer('The step', 'JobStep'), default: failure },
    },
  },
  '/v1/jobs/{id}/compare/{other}': {
    get: {
      summary: 'Compare two jobs by cost and text',
      parameters: [id, inPath('other')],
      responses: { 200: answer('Both jobs, step by step', 'JobComparison'), default: failure },
    },
  },
  '/v1/jobs/{id}/cancel': { post: { summary: 'Cancel a job', parameters: [id], responses: accepted } },
  '/v1/jobs/{id}/pause': {
    post: { summary: 'Begin no further generation', parameters: [id], responses: accepted },
  },
  '/v1/jobs/{id}/resume': { post: { summary: 'Resume a paused job', parameters: [id], responses: accepted } },
  '/v1/jobs/{id}/rerun': {
    post: {
      summary: 'Run it again from a step, as another job',
      parameters: [id, idempotencyKey()],
      requestBody: requiredBody('RerunRequest'),
      responses: { 201: answer('The other job', 'CreatedJob'), default: failure },
    },
  },
  '/v1/jobs/{id}/steps/{step}/approve': {
    post: {
      summary: 'Approve a step',
      parameters: [id, step],
      requestBody: optionalBody('ApprovalRequest'),
      responses: accepted,
    },
  },
  '/v1/jobs/{id}/steps/{step}/reject': {
    post: {
      summary: 'Reject a step',
      parameters: [id, step],
      requestBody: optionalBody('ApprovalRequest'),
      responses: accepted,
    },
  },
};
