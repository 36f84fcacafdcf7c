/** Schedules: generations, jobs and batches that start by the clock. */
import { z } from 'zod';
import { scheduledBatchSchema } from './batch-request.ts';
import { generationRequestSchema } from './generation.ts';
import { jobRequestSchema } from './jobs.ts';
import { LIMITS } from './limits.ts';

const moment = z.iso
  .datetime({ offset: true })
  .describe('A time with its zone, such as 2026-12-01T06:00:00Z.');
const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'expected an IANA time zone, such as Europe/Berlin')
  .describe('UTC if absent.');
const span = (least: number) => z.int().min(least).max(LIMITS.longestScheduleMs);
/** Temporal counts the ticks of an interval in seconds, and drops what is less: then a tick comes early, or never. */
const seconds = (least: number) => span(least).multipleOf(1_000, 'expected whole seconds, in milliseconds');

/**
 * Temporal takes more: fields for seconds and `@every 1s`, which come more often than an interval may, a time zone for
 * each line, and a comment behind `#`, which elsewhere is the third Friday: `5#3` would run on each.
 */
const CRON =
  /^\s*(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|[^\s@#=]+(?:\s+[^\s@#=]+){4})\s*$/;
const cronSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(CRON, 'expected five fields, such as "0 6 * * 1-5", or @daily and its like, without seconds and #');

/** When it runs. Times of both kinds may be given; each is a tick. */
const timesSchema = z
  .strictObject({
    cron: z
      .array(cronSchema)
      .min(1)
      .max(LIMITS.timesPerSchedule)
      .optional()
      .describe('Five fields, such as "0 6 * * 1-5", or @daily and its like.'),
    everyMs: seconds(LIMITS.leastIntervalMs)
      .optional()
      .describe('An interval in whole seconds, counted from 1970.'),
    offsetMs: seconds(0).optional().describe('Added to each tick of everyMs.'),
    timeZone: timeZone.optional(),
    jitterMs: span(0).optional().describe('Each tick is late by up to this, at random.'),
    from: moment.optional(),
    until: moment.optional(),
  })
  .refine(({ cron, everyMs }) => cron !== undefined || everyMs !== undefined, {
    path: ['cron'],
    message: 'expected cron or everyMs',
  })
  .refine(({ offsetMs, everyMs }) => offsetMs === undefined || everyMs !== undefined, {
    path: ['offsetMs'],
    message: 'expected everyMs, to which it is added',
  });

const overlaps = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'allow-all'] as const;
const overlapSchema = z.enum(overlaps);

export const scheduleRequestSchema = z
  .strictObject({
    description: z.string().max(500).optional(),
    times: timesSchema,
    generation: generationRequestSchema.optional().describe('What each tick starts: a generation,'),
    job: jobRequestSchema.optional().describe('or a job,'),
    batch: scheduledBatchSchema.optional().describe('or a batch, whose file each tick reads again.'),
    overlap: overlapSchema
      .default('skip')
      .describe('What a tick does while the run of an earlier one is not over. skip: nothing.'),
    catchUpMs: span(10_000)
      .optional()
      .describe('How late a tick may start that was missed while Temporal was down; an hour if absent.'),
    pauseOnFailure: z.boolean().optional().describe('true: the schedule is paused when a run has failed.'),
    maxRuns: z.int().min(1).max(1_000_000).optional().describe('Ticks after which there are no more.'),
    isPaused: z.boolean().optional(),
  })
  .refine(
    ({ generation, job, batch }) =>
      [generation, job, batch].filter((each) => each !== undefined).length === 1,
    { path: ['generation'], message: 'send a generation, a job or a batch, one of them' },
  );
export type ScheduleRequest = z.infer<typeof scheduleRequestSchema>;

export const backfillSchema = z
  .strictObject({
    from: moment,
    until: moment,
    overlap: overlapSchema.default('buffer-all'),
  })
  .refine(({ from, until }) => Date.parse(from) <= Date.parse(until), {
    path: ['until'],
    message: 'expected a time that is not before from',
  });
export type Backfill = z.infer<typeof backfillSchema>;

export const pauseSchema = z.strictObject({ note: z.string().max(500).optional() });

export const scheduleViewSchema = z.object({
  id: z.string(),
  description: z.string().nullable(),
  user: z.string(),
  kind: z.enum(['generation', 'job', 'batch']),
  times: timesSchema,
  overlap: overlapSchema,
  isPaused: z.boolean(),
  note: z.string().nullable(),
  createdAt: z.int().describe('Milliseconds since 1970.'),
  nextAt: z.array(z.int()).describe('The next ticks, milliseconds since 1970.'),
  runs: z
    .array(z.object({ scheduledAt: z.int(), id: z.string().describe('Of the generation, job or batch.') }))
    .describe('The newest ticks.'),
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
