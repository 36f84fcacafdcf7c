/** `GET /healthz`: this process runs. `GET /readyz`: the services that it needs answer, too. */
import type { RequestHandler } from 'express';
import { withTimeout } from '../../platform/with-timeout.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { RETRY_AFTER_SECONDS } from '../http/send-error.ts';

const ANSWER_WITHIN_MS = 2_000;
/** For how long a result is reused. */
const REMEMBER_MS = 500;

export function getHealth(): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'ok' });
  };
}

export function getReadiness({ temporal, pingRedis, leaving }: ApiDependencies): RequestHandler {
  const check = () =>
    Promise.all([
      answers('Redis', pingRedis()),
      answers('Temporal', temporal.connection.workflowService.getSystemInfo({})),
    ]);
  let latest: { readonly untilMs: number; readonly services: ReturnType<typeof check> } | null = null;
  return async (_request, response) => {
    // This route needs no key, so calling it often must cost nothing.
    if (latest === null || latest.untilMs <= performance.now()) {
      latest = { untilMs: performance.now() + REMEMBER_MS, services: check() };
    }
    const [isRedisUp, isTemporalUp] = await latest.services;
    const isReady = isRedisUp && isTemporalUp && !leaving.aborted;
    if (!isReady) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
    response.status(isReady ? 200 : 503).json({
      status: isReady ? 'ok' : 'unavailable',
      services: { redis: isRedisUp, temporal: isTemporalUp },
    });
  };
}

function answers(service: string, reply: Promise<unknown>): Promise<boolean> {
  return withTimeout(service, ANSWER_WITHIN_MS, reply).then(
    () => true,
    () => false,
  );
}
