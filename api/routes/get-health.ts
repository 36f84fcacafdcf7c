/** `GET /healthz`: the process lives. `GET /readyz`: the services that it needs answer. */
import type { RequestHandler } from 'express';
import type { ApiDependencies } from '../dependencies.ts';

const ANSWER_WITHIN_MS = 2_000;
/** How old an answer of the services may be. */
const REMEMBER_MS = 500;

export function getHealth(): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'ok' });
  };
}

export function getReadiness({ temporal, pingRedis, leaving }: ApiDependencies): RequestHandler {
  const ask = () =>
    Promise.all([answers(pingRedis()), answers(temporal.connection.workflowService.getSystemInfo({}))]);
  let known: { readonly untilMs: number; readonly services: ReturnType<typeof ask> } | null = null;
  return async (_request, response) => {
    // This route needs no key, so frequent calls must cost nothing.
    if (known === null || known.untilMs <= performance.now()) {
      known = { untilMs: performance.now() + REMEMBER_MS, services: ask() };
    }
    const [redis, server] = await known.services;
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
