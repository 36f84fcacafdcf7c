/** The routes of schedules in the OpenAPI document. */
import { z } from 'zod';
import {
  backfillSchema,
  pauseSchema,
  scheduleRequestSchema,
  scheduleViewSchema,
} from '../../contracts/schedules.ts';
import { hoisted } from './hoisted.ts';
import { answer, failure, idempotencyKey, inPath, jsonList, optionalBody, requiredBody } from './parts.ts';

export const scheduleSchemas = {
  ...hoisted('ScheduleRequest', scheduleRequestSchema),
  Schedule: z.toJSONSchema(scheduleViewSchema),
  SchedulePause: z.toJSONSchema(pauseSchema, { io: 'input' }),
  ScheduleBackfill: z.toJSONSchema(backfillSchema, { io: 'input' }),
};

const id = inPath('id');
const repeatedKey = idempotencyKey(
  'A request that is sent again with the same key and body starts nothing more',
);
const accepted = { 202: answer('The schedule', 'Schedule'), default: failure };

export const schedulePaths = {
  '/v1/schedules': {
    get: {
      summary: 'List the schedules',
      responses: { 200: { description: 'The schedules', content: jsonList('Schedule') }, default: failure },
    },
    post: {
      summary: 'Start a generation, a job or a batch by the clock',
      parameters: [idempotencyKey()],
      requestBody: requiredBody('ScheduleRequest'),
      responses: { 201: answer('The schedule', 'Schedule'), default: failure },
    },
  },
  '/v1/schedules/{id}': {
    get: {
      summary: 'Read a schedule: its next ticks and its newest runs',
      parameters: [id],
      responses: { 200: answer('The schedule', 'Schedule'), default: failure },
    },
    delete: {
      summary: 'Delete a schedule; what it has started continues',
      parameters: [id],
      responses: { 204: { description: 'It is deleted' }, default: failure },
    },
  },
  '/v1/schedules/{id}/pause': {
    post: {
      summary: 'Pause a schedule',
      parameters: [id],
      requestBody: optionalBody('SchedulePause'),
      responses: accepted,
    },
  },
  '/v1/schedules/{id}/unpause': {
    post: { summary: 'Resume a paused schedule', parameters: [id], responses: accepted },
  },
  '/v1/schedules/{id}/trigger': {
    post: { summary: 'Start what a tick would, now', parameters: [id, repeatedKey], responses: accepted },
  },
  '/v1/schedules/{id}/backfill': {
    post: {
      summary: 'Start the ticks of a time that is past',
      parameters: [id, repeatedKey],
      requestBody: requiredBody('ScheduleBackfill'),
      responses: accepted,
    },
  },
};
