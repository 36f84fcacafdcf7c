/** Jobs as tests run them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type {
  FollowedJobEvent,
  JobView,
  NewPipeline,
  UnbrokenClient,
} from '../../clients/typescript/index.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { PROJECT_ROOT } from './child-process.ts';

/** The pipeline that the documentation leads with. */
export const ARTICLE = join(PROJECT_ROOT, 'examples', 'pipelines', 'article.yaml');

/** A text of the simulated model that takes a while. */
export const slow = (text: string, tokens = 60, delayMs = 15) =>
  `${text}\n[[sim tokens=${tokens} delay_ms=${delayMs}]]`;
export const quick = (text: string) => slow(text, 12, 0);

/** The article of the example, without cache, and slow enough to be killed within each step. */
export function article(): NewPipeline {
  const { name: _name, ...content } = parse(readFileSync(ARTICLE, 'utf8'));
  for (const step of Object.values<Record<string, unknown>>(content.steps)) {
    step['cache'] = 'off';
    step['input'] = slow(String(step['input']));
  }
  return content;
}

export async function endOf(client: UnbrokenClient, jobId: string): Promise<JobView> {
  for await (const event of client.jobs.follow(jobId, { withText: false })) {
    if (event.type === 'job-end' || event.type === 'job-error' || event.type === 'job-cancel') break;
  }
  return client.jobs.get(jobId);
}

export async function jobEvents(client: UnbrokenClient, jobId: string): Promise<FollowedJobEvent[]> {
  const events: FollowedJobEvent[] = [];
  for await (const event of client.jobs.follow(jobId)) events.push(event);
  return events;
}

/** The logs of the generations as the stream of the job delivered them. */
export function logsIn(events: readonly FollowedJobEvent[]): Map<string, GenerationEvent[]> {
  const logs = new Map<string, GenerationEvent[]>();
  for (const event of events) {
    if (event.type !== 'generation-event') continue;
    logs.set(event.generationId, [...(logs.get(event.generationId) ?? []), event.event]);
  }
  return logs;
}
