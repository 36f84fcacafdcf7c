/**
 * Webhooks: who is notified of what. The objects are those of OpenAI's API, so its official clients register endpoints
 * (`client.webhooks`) and read events (`client.webhooks.unwrap`). Source: the types of the official client, Webhooks.
 */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** What becomes of a generation, and of a batch. The names are OpenAI's. */
export const responseEventTypes = [
  'response.completed',
  'response.failed',
  'response.incomplete',
  'response.cancelled',
] as const;
const batchEventTypes = ['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'] as const;
/** What becomes of a job, and that it waits for a person. OpenAI has no such events. */
const jobEventTypes = ['job.completed', 'job.failed', 'job.cancelled', 'job.approval_required'] as const;

/** What a receiver can be notified of. */
export const webhookEventTypes = [...responseEventTypes, ...batchEventTypes, ...jobEventTypes] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

function listOf<const Types extends readonly string[]>(types: Types) {
  return z.array(z.enum(types)).min(1).max(types.length);
}

const eventTypesSchema = listOf(webhookEventTypes);

const urlSchema = z
  .url({ protocol: /^https?$/ })
  .max(LIMITS.webhookUrlChars)
  .refine((url) => {
    // Also called for what is no URL, which the line above refuses.
    const parsed = URL.parse(url);
    return parsed === null || (parsed.username === '' && parsed.password === '');
  }, 'expected no user or password in it');

/** Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
const webhookSecretSchema = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and 24 to 64 bytes in base64');

const secret = webhookSecretSchema
  .optional()
  .describe("Signs the deliveries. Absent: the tenant's own secret, which an admin has created.");

/** Of one request: notified of this generation alone. */
export const requestWebhookSchema = z.strictObject({
  url: urlSchema,
  events: listOf(responseEventTypes).optional().describe('Absent: every end of the generation.'),
  secret,
});

/** Of one batch. */
export const batchWebhookSchema = z.strictObject({
  url: urlSchema,
  events: listOf(batchEventTypes).optional().describe('Absent: every end of the batch.'),
  secret,
});

/** Of one job. */
export const jobWebhookSchema = z.strictObject({
  url: urlSchema,
  events: listOf(jobEventTypes).optional().describe('Absent: all that can happen to a job.'),
  secret,
});

export type RequestWebhook = z.output<
  typeof requestWebhookSchema | typeof batchWebhookSchema | typeof jobWebhookSchema
>;

/** The webhook of one request, as its input or its job keeps it. Address and secret are sealed for the tenant. */
export interface SealedWebhook {
  /** Absent: all that can happen to it. */
  readonly events?: readonly WebhookEventType[];
  readonly sealed: string;
}

const nameSchema = z.string().min(1).max(100);

export const createEndpointSchema = z.strictObject({
  name: nameSchema,
  url: urlSchema,
  event_types: eventTypesSchema,
});

export const updateEndpointSchema = z.strictObject({
  name: nameSchema.optional(),
  url: urlSchema.optional(),
  event_types: eventTypesSchema.optional(),
});
export type EndpointChange = z.output<typeof updateEndpointSchema>;

export const rotateSecretSchema = z.strictObject({
  keep_old_secret_active_for_24_hours: z
    .boolean()
    .default(false)
    .describe('Deliveries are signed with both meanwhile.'),
});

export const testEndpointSchema = z.strictObject({ event_type: z.enum(webhookEventTypes) });

export const endpointViewSchema = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  name: z.string(),
  url: z.string(),
  event_types: z.array(z.string()),
  created_at: z.int().describe('Seconds since 1970.'),
  updated_at: z.int(),
  signing_secret_hint: z.string().nullable(),
});
export type EndpointView = z.infer<typeof endpointViewSchema>;

/** The answer to a creation or a rotation, the only one with the secret. */
export const newEndpointSchema = endpointViewSchema.extend({ signing_secret: z.string() });

/** The secret of requests that bring none is rotated like that of an endpoint with this id. */
export const OWN_SECRET_ID = 'default';

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;

export const deliveryViewSchema = z.object({
  id: z.string().describe('The webhook-id: the same at each attempt, and when it is sent again.'),
  eventType: z.string(),
  endpointId: z.string().nullable().describe('null: the webhook of one request.'),
  status: z.enum(deliveryStatuses),
  createdAt: z.int(),
  attempts: z.int().describe('Attempts so far.'),
  latest: z
    .array(
      z.object({
        at: z.int(),
        ms: z.int(),
        statusCode: z.int().nullable(),
        error: z.string().nullable(),
      }),
    )
    .describe('The latest attempts, oldest first.'),
  payload: z.record(z.string(), z.unknown()),
});
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

/** The body of a delivery. */
export interface WebhookEvent {
  readonly id: string;
  readonly object: 'event';
  readonly created_at: number;
  readonly type: WebhookEventType;
  readonly data: Readonly<Record<string, unknown>> & { readonly id: string };
}

/** The argument of the run of a delivery: Redis has the rest, because addresses and secrets stay out of history. */
export interface WebhookDelivery {
  readonly tenant: string;
  readonly deliveryId: string;
  readonly eventType: WebhookEventType;
}
