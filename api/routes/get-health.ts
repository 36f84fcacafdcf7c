/** `GET /healthz`: the process lives. `GET /readyz`: the services that it needs answer. */
import type { RequestHandler } from 'express';
import type { ApiDependencies } from '../dependencies.ts';

const ANSWER_WITHIN_MS = 2_000;

export function getHealth(): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'ok' });
  };
}

export function getReadiness({ temporal, pingRedis, leaving }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    const [redis, server] = await Promise.all([
      answers(pingRedis()),
      answers(temporal.connection.workflowService.getSystemInfo({})),
    ]);
    const isReady = redis && server && !leaving.aborted;
    if (!isReady) response.setHeader('retry-after', 2);
    response
      .status(isReady ? 200 : 503)
      .json({ status: isReady ? 'ok' : 'unavailable', services: { redis, temporal: server } });
  };
}

async function answers(asked: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
  });
  const answered = asked.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
