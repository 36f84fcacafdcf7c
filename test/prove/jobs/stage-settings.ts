/** How the product is configured in this proof, and the keys and endpoints of its users. */
import OpenAI from 'openai';
import type { WebhookCreateParams } from 'openai/resources/webhooks/webhooks';
import { addKey } from '../../harness/stack.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import { BUILT_IN_MODELS } from '../matrix/plan.ts';
import type { Stage } from '../matrix/stage.ts';
import { planWait, SCHEDULES } from './plan.ts';
import type { Receiver } from './receiver.ts';

/** The first sends batches of OpenAI's format, jobs and schedules; the second the message batch. */
export const TENANTS = ['acme', 'globex'] as const;
export type Tenant = (typeof TENANTS)[number];

const LINES_AT_ONCE = 32;
const PRICE = { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 8_000_000 };

/** A batch of OpenAI's format that waits has this time; its vendors have so much of it that lines are left to call. */
export const WAITING_WINDOW = '1h';
const WAITING_WINDOW_MS = 3_600_000;
const VENDOR_CANCEL_MS = 60_000;

/** @param waiting the lines of each batch that waits at vendors. */
export function configOf(folder: string, waiting: number): object {
  const rounds = Math.ceil(waiting / LINES_AT_ONCE);
  const liveMs = WAITING_WINDOW_MS - VENDOR_CANCEL_MS - planWait(waiting).waitMs;
  const vendor = { pollMs: 1_000, cancelMs: VENDOR_CANCEL_MS, liveLineMs: Math.floor(liveMs / rounds) };
  return {
    batches: { linesAtOnce: LINES_AT_ONCE, vendor },
    breaker: { minCalls: 1_000_000 },
    prices: Object.fromEntries(BUILT_IN_MODELS.map((model) => [model, PRICE])),
    objectStore: { folder },
    webhooks: { allowPrivateNetwork: true },
    // Longer than a provider is stopped: a line that failed would show less than one that was answered.
    limits: { heartbeatMs: 1_000, connectMs: 2_000, firstTokenMs: 10_000, betweenTokensMs: 10_000 },
  };
}

export type BatchUser = 'night' | 'cancelled' | 'messages' | 'waiting' | 'waiting-messages';

export interface Keys {
  /** Each batch has its own user, so that the ledger shows what it cost. */
  readonly batches: Readonly<Record<BatchUser, string>>;
  readonly jobs: string;
  /** By the user of a schedule. */
  readonly schedules: ReadonlyMap<string, string>;
}

export async function issueKeys(stage: Stage): Promise<Keys> {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const keyOf = (tenant: Tenant, user: string) => addKey(api, { tenant, user, scopes: ['generate'] });
  const schedules = new Map<string, string>();
  for (const { user } of SCHEDULES) schedules.set(user, await keyOf('acme', user));
  return {
    batches: {
      night: await keyOf('acme', 'night'),
      cancelled: await keyOf('acme', 'cancelled'),
      messages: await keyOf('globex', 'messages'),
      waiting: await keyOf('acme', 'waiting'),
      'waiting-messages': await keyOf('globex', 'waiting-messages'),
    },
    jobs: await keyOf('acme', 'writer'),
    schedules,
  };
}

/** Of each tenant, what its registered endpoint is notified of. */
const ENDPOINTS = {
  acme: ['batch.completed', 'batch.cancelled', 'job.completed'],
  globex: ['batch.completed', 'response.completed', 'response.failed', 'response.incomplete'],
} as const;

/** Registers an endpoint for each tenant, by the official client. */
export async function addEndpoints(stage: Stage, receiver: Receiver): Promise<void> {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  for (const tenant of TENANTS) {
    const apiKey = await addKey(api, { tenant, user: 'admin', scopes: ['admin'] });
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey });
    const { signing_secret: secret } = await openai.webhooks.create({
      name: tenant,
      url: receiver.urlOf(tenant),
      // Its types do not list the events of jobs.
      event_types: [...ENDPOINTS[tenant]] as WebhookCreateParams['event_types'],
    });
    receiver.expect(tenant, secret ?? '');
  }
}

/** The webhook of a request, with its own secret. */
export function requestWebhook(receiver: Receiver, name: string): { url: string; secret: string } {
  const secret = `whsec_${Buffer.from(`the secret of ${name}, long enough to sign`).toString('base64')}`;
  receiver.expect(name, secret);
  return { url: receiver.urlOf(name), secret };
}
