/** `/v1/schedules`: generations, jobs and batches by the clock, charged to the user of their key. */
import type { RequestHandler } from 'express';
import { backfillSchema, pauseSchema, scheduleRequestSchema } from '../../contracts/schedules.ts';
import type { StoredSchedule } from '../../engine/jobs/schedule-store.ts';
import { callerIn, seesTenant } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseBody, requireJson } from '../http/read-request.ts';
import {
  backfill,
  createSchedule,
  deleteSchedule,
  findSchedule,
  onSchedule,
  scheduleView,
  scheduleViews,
  trigger,
} from '../jobs/schedules.ts';

type OfSchedule = RequestHandler<{ id: string }>;

/** 201 with the schedule. */
export function addSchedule(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    requireJson(request);
    const body = parseBody(request, scheduleRequestSchema);
    const key = request.get('idempotency-key');
    const schedule = await createSchedule(dependencies, callerIn(response), body, key);
    response
      .status(201)
      .location(`/v1/schedules/${schedule.scheduleId}`)
      .json(await scheduleView(dependencies, schedule));
  };
}

/** The newest first. */
export function listSchedules(dependencies: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    const caller = callerIn(response);
    const all = await dependencies.schedules.list(caller.tenant);
    const visible = seesTenant(caller) ? all : all.filter(({ owner }) => owner.user === caller.user);
    response.json({ data: await scheduleViews(dependencies, visible) });
  };
}

export function getSchedule(dependencies: ApiDependencies): OfSchedule {
  return change(dependencies, async () => undefined, 200);
}

/** No tick starts anything until it is unpaused. */
export function pauseSchedule(dependencies: ApiDependencies): OfSchedule {
  return change(dependencies, async (schedule, { note }) => {
    await onSchedule(dependencies, schedule, (handle) => handle.pause(note));
  });
}

export function unpauseSchedule(dependencies: ApiDependencies): OfSchedule {
  return change(dependencies, (schedule) => onSchedule(dependencies, schedule, (handle) => handle.unpause()));
}

/** Starts what a tick would, now. */
export function triggerSchedule(dependencies: ApiDependencies): OfSchedule {
  return change(dependencies, (schedule, { key }) => trigger(dependencies, schedule, key));
}

/** Starts the ticks of a time that is past. */
export function backfillSchedule(dependencies: ApiDependencies): OfSchedule {
  return async (request, response) => {
    requireJson(request);
    const schedule = await findSchedule(dependencies, callerIn(response), request.params.id);
    const key = request.get('idempotency-key');
    await backfill(dependencies, schedule, parseBody(request, backfillSchema), key);
    response.status(202).json(await scheduleView(dependencies, schedule));
  };
}

export function removeSchedule(dependencies: ApiDependencies): OfSchedule {
  return async (request, response) => {
    const schedule = await findSchedule(dependencies, callerIn(response), request.params.id);
    await deleteSchedule(dependencies, schedule);
    response.status(204).end();
  };
}

interface Sent {
  readonly note: string | undefined;
  /** Its Idempotency-Key. */
  readonly key: string | undefined;
}

function change(
  dependencies: ApiDependencies,
  act: (schedule: StoredSchedule, sent: Sent) => Promise<void>,
  status = 202,
): OfSchedule {
  return async (request, response) => {
    const schedule = await findSchedule(dependencies, callerIn(response), request.params.id);
    const { note } = status === 202 ? parseBody(request, pauseSchema) : {};
    await act(schedule, { note, key: request.get('idempotency-key') });
    response.status(status).json(await scheduleView(dependencies, schedule));
  };
}
