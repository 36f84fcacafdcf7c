/**
 * The part of the client that manages schedules. A call may be repeated; `trigger` and `backfill`, with the same
 * idempotency key.
 */
import type { GenerationRequest } from '../../contracts/generation.ts';
import type { Backfill, ScheduleRequest, ScheduleView } from '../../contracts/schedules.ts';
import type { NewJob } from './jobs.ts';

/** When it runs, and what. */
export type NewSchedule = Omit<ScheduleRequest, 'generation' | 'job' | 'overlap'> & {
  readonly generation?: Omit<GenerationRequest, 'stream'> | undefined;
  readonly job?: NewJob | undefined;
  readonly overlap?: ScheduleRequest['overlap'] | undefined;
};

interface Repeatable {
  /** The same for each try of one call. Absent: a new one. */
  readonly idempotencyKey?: string | undefined;
}

export interface SchedulesClient {
  create(schedule: NewSchedule, options?: Repeatable): Promise<ScheduleView>;
  list(): Promise<ScheduleView[]>;
  get(id: string): Promise<ScheduleView>;
  pause(id: string, options?: { readonly note?: string | undefined }): Promise<ScheduleView>;
  unpause(id: string): Promise<ScheduleView>;
  /** Starts what a tick would, now. */
  trigger(id: string, options?: Repeatable): Promise<ScheduleView>;
  /** Starts the ticks of a time that is past. */
  backfill(
    id: string,
    span: Omit<Backfill, 'overlap'> & Partial<Pick<Backfill, 'overlap'>>,
    options?: Repeatable,
  ): Promise<ScheduleView>;
  delete(id: string): Promise<void>;
}

export function createSchedulesClient(
  call: <Answer>(request: {
    readonly method: 'GET' | 'POST' | 'DELETE';
    readonly path: string;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  }) => Promise<Answer>,
  randomKey: () => string,
): SchedulesClient {
  const path = '/v1/schedules';
  const pathOf = (id: string, verb = '') => `${path}/${encodeURIComponent(id)}${verb}`;
  const post = (to: string, body: unknown = {}) => call<ScheduleView>({ method: 'POST', path: to, body });
  const postOnce = (to: string, body: unknown, { idempotencyKey = randomKey() }: Repeatable = {}) =>
    call<ScheduleView>({ method: 'POST', path: to, body, headers: { 'idempotency-key': idempotencyKey } });
  return {
    create: (body, options) => postOnce(path, body, options),
    list: async () => (await call<{ data: ScheduleView[] }>({ method: 'GET', path })).data,
    get: (id) => call({ method: 'GET', path: pathOf(id) }),
    pause: (id, body = {}) => post(pathOf(id, '/pause'), body),
    unpause: (id) => post(pathOf(id, '/unpause')),
    trigger: (id, options) => postOnce(pathOf(id, '/trigger'), {}, options),
    backfill: (id, body, options) => postOnce(pathOf(id, '/backfill'), body, options),
    delete: async (id) => {
      await call<unknown>({ method: 'DELETE', path: pathOf(id) });
    },
  };
}
