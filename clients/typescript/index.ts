/** What the package exports. */
export type { DeletedGeneration, ErasureView } from '../../contracts/erasure.ts';
export type { GenerationEvent } from '../../contracts/events.ts';
export { isTerminal } from '../../contracts/fold-events.ts';
export type { ContinueRequest, GenerationRequest, GenerationView } from '../../contracts/generation.ts';
export type {
  JobComparison,
  JobEstimate,
  JobEvent,
  JobStepDetail,
  JobView,
  RerunRequest,
} from '../../contracts/jobs.ts';
export type {
  Condition,
  PipelineContent,
  PipelineVersionView,
  PipelineView,
} from '../../contracts/pipelines.ts';
export type { ProvidersView, RouteExplanation } from '../../contracts/routing.ts';
export type { ScheduleView } from '../../contracts/schedules.ts';
export type { UsageView } from '../../contracts/usage.ts';
export type { ErasuresClient } from './erasures.ts';
export { ClientError, ConnectionLostError, GenerationFailedError, StreamIntegrityError } from './errors.ts';
export { type FollowOptions, followGeneration } from './follow-generation.ts';
export type { FollowedJobEvent, FollowJobOptions, JobGenerationEvent } from './follow-job.ts';
export type { JobsClient, NewJob, NewPipeline, PipelinesClient } from './jobs.ts';
export { PartialJson, partialJson } from './partial-json.ts';
export type { NewPromptVersion, PromptsClient } from './prompts.ts';
export type { NewSchedule, SchedulesClient } from './schedules.ts';
export { textOf } from './text-of.ts';
export {
  type ClientOptions,
  createClient,
  type FollowedGeneration,
  type FollowRequest,
  type ListedGeneration,
  type ListOptions,
  type SubmitOptions,
  type SubmittedGeneration,
  type UnbrokenClient,
  type UsageQuery,
} from './unbroken-client.ts';
