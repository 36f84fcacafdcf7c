/** Callers at work: each asks, cancels, lets its readers follow, waits for the end, and asks again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenerationView } from '../../../contracts/generation.ts';
import { createRandom } from '../../harness/random.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import type { Following } from './notebook.ts';
import { type PlannedRequest, planRequest, TENANTS, type Tenant } from './plan.ts';
import type { Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

export interface Accepted {
  readonly plan: PlannedRequest;
  readonly id: string;
  readonly acceptedAtMs: number;
}

export interface LoadDone {
  readonly accepted: readonly Accepted[];
  /** Refused for their budget. */
  readonly refused: number;
  /** Answers that were neither a success, nor a clear refusal, nor a 503: each is a fault of the product. */
  readonly unclear: readonly string[];
  /** What another tenant could see, and must not. */
  readonly seen: readonly { readonly tenant: Tenant; readonly what: string }[];
}

const ANSWER_WITHIN_MS = 8_000;
const AGAIN_MS = 150;
const END_WITHIN_MS = 20_000;
const POLL_MS = 400;

export async function load(
  stage: Stage,
  keys: Readonly<Record<Tenant, string>>,
  { seed, atOnce, timeline }: { seed: number; atOnce: number; timeline: Timeline },
  signal: AbortSignal,
): Promise<LoadDone> {
  const accepted: Accepted[] = [];
  const unclear: string[] = [];
  const seen: { tenant: Tenant; what: string }[] = [];
  let refused = 0;
  let next = 0;

  /** One call, on any API, until it is answered. */
  const ask = async (key: string, path: string, init: RequestInit = {}): Promise<Response> => {
    for (let turn = 0; ; turn += 1) {
      const url = stage.apis[turn % stage.apis.length] ?? '';
      try {
        const response = await connectApi(url, key).send(path, {
          ...init,
          signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        });
        if (response.status < 500) return response;
        const said = await response.text();
        if (response.status !== 503) unclear.push(`${path}: ${response.status} ${said}`);
        else if (response.headers.get('retry-after') === null)
          unclear.push(`${path}: 503 without Retry-After`);
      } catch {
        timeline.note(`no answer of ${url} to ${path}`);
      }
      await sleep(AGAIN_MS);
    }
  };

  const one = async (plan: PlannedRequest): Promise<void> => {
    const { index, tenant, input, model, user, cache, maxOutputTokens } = plan;
    const key = keys[tenant];
    if (plan.fault !== null) {
      const { kind, afterTokens } = plan.fault;
      const fault = { kind, afterTokens, match: plan.mark, times: 2, delayMs: 2_500 };
      // The provider may be down: then there is a fault enough.
      await stage.sim.fault(fault).catch(() => timeline.note(`no fault for ${plan.mark}`));
    }
    const body = { input, user, cache, maxOutputTokens, ...(model === undefined ? {} : { model }) };
    const response = await ask(key, '/v1/generations', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'idempotency-key': `matrix-${index}` },
    });
    const answer = (await response.json()) as GenerationView;
    if (response.status === 429) {
      refused += 1;
      await sleep(AGAIN_MS);
      return;
    }
    if (response.status !== 201) {
      unclear.push(`POST: ${response.status} ${JSON.stringify(answer)}`);
      return;
    }
    const { id } = answer;
    accepted.push({ plan, id, acceptedAtMs: Date.now() });
    for (let reader = 0; reader < plan.readers; reader += 1) {
      const name = `${index}-${reader}`;
      const wire = (index + reader) % 4 === 0 ? ('responses' as const) : ('native' as const);
      const following = {
        wire,
        reader: name,
        generationId: id,
        key,
        apis: stage.apis,
        seed: seed + index * 31 + reader,
      };
      await order(stage.readers[(index + reader) % stage.readers.length] ?? '', following);
    }
    if (plan.isProbed) seen.push(...(await probe(plan, id)));
    if (plan.cancelAfterMs !== null) {
      await sleep(plan.cancelAfterMs);
      await ask(key, `/v1/generations/${id}/cancel`, { method: 'POST' });
    }
    const deadline = Date.now() + END_WITHIN_MS;
    while (Date.now() < deadline && !signal.aborted) {
      const view = (await (await ask(key, `/v1/generations/${id}`)).json()) as GenerationView;
      if (view.status !== 'running') return;
      await sleep(POLL_MS);
    }
  };

  /** The other tenants ask for it, and for what they may list. */
  const probe = async (plan: PlannedRequest, id: string) => {
    const others = TENANTS.filter((tenant) => tenant !== plan.tenant);
    const found: { tenant: Tenant; what: string }[] = [];
    for (const tenant of others) {
      for (const path of [`/v1/generations/${id}`, `/v1/generations/${id}/events`]) {
        const { status } = await ask(keys[tenant], path);
        if (status !== 404) unclear.push(`${path} by ${tenant}: ${status}`);
      }
      const list = await (await ask(keys[tenant], '/v1/generations?limit=100')).text();
      found.push({ tenant, what: list });
    }
    return found;
  };

  const lane = async (number: number): Promise<void> => {
    const random = createRandom(seed + number);
    while (!signal.aborted) {
      const index = next;
      next += 1;
      await one(planRequest(seed, index));
      await sleep(random.between(0, 200));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, number) => lane(number)));
  return { accepted, refused, unclear, seen };
}

/** Until the process of readers has taken it: it may be down. */
async function order(url: string, following: Following): Promise<void> {
  for (;;) {
    const taken = await askReaders(url, following).catch(() => false);
    if (taken) return;
    await sleep(AGAIN_MS);
  }
}

async function askReaders(url: string, following: Following): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  return (await fetch(url, { method: 'POST', body: JSON.stringify(following), signal })).ok;
}
