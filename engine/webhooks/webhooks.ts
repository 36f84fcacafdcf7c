/** The ports to the webhooks of a tenant: who is notified, and what became of it. */
import type {
  DeliveryView,
  EndpointChange,
  EndpointView,
  SealedWebhook,
  WebhookDelivery,
  WebhookEvent,
  WebhookEventType,
} from '../../contracts/webhooks.ts';

/** What happened to a generation or a job. */
export interface Notice {
  readonly tenant: string;
  /** Whose generation or job it was; deliveries are erased with the user's data. */
  readonly user: string;
  /** Unique: the same key, type and receiver are one delivery, however often they are prepared. */
  readonly key: string;
  readonly type: WebhookEventType;
  readonly atMs: number;
  readonly data: WebhookEvent['data'];
  /** The webhook of the request. */
  readonly webhook?: SealedWebhook | undefined;
}

/** An address, and the secrets that sign what is sent there. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
  /** Valid beside the secret after its rotation. */
  readonly previousSecret?: string | undefined;
}

export interface PreparedDelivery {
  readonly target: WebhookTarget;
  readonly event: WebhookEvent;
}

export interface DeliveryAttempt {
  readonly atMs: number;
  readonly ms: number;
  readonly statusCode: number | null;
  /** null: the receiver accepted it. */
  readonly error: string | null;
}

export interface DeliveryOwner {
  /** null in deliveries of earlier releases. */
  readonly user: string | null;
  /** Of the generation or job. */
  readonly about: string;
  readonly createdAtMs: number;
}

export interface WebhookDeliveries {
  /** Writes what must be delivered, once. Each delivery still needs its run. @returns [] if there is no receiver. */
  prepare(notice: Notice): Promise<readonly WebhookDelivery[]>;
  /** @returns null if it is gone, or its endpoint is. */
  read(tenant: string, deliveryId: string): Promise<PreparedDelivery | null>;
  note(tenant: string, deliveryId: string, attempt: DeliveryAttempt): Promise<void>;
  /** No further attempt is made, unless it is sent again. */
  giveUp(tenant: string, deliveryId: string): Promise<void>;
  /** Deletes a delivery: no further attempt is made. */
  remove(tenant: string, deliveryId: string): Promise<void>;
  /** The ids that deliveries about a generation have, if there are such. @param createdAtMs of its log */
  idsOfGeneration(tenant: string, generationId: string, createdAtMs: number): Promise<readonly string[]>;
  /** Those that a list shows. */
  ids(tenant: string): Promise<readonly string[]>;
  /** Whose it is; null if it is gone. */
  ownerOf(tenant: string, deliveryId: string): Promise<DeliveryOwner | null>;
  view(tenant: string, deliveryId: string): Promise<DeliveryView | null>;
  /** The newest first. @param after `next` of the page before; 0 for the first. */
  list(
    tenant: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<{ readonly data: readonly DeliveryView[]; readonly next: number | null }>;
}

/** An endpoint, and its secret where it is shown. */
export interface NewEndpoint {
  readonly endpoint: EndpointView;
  readonly secret: string;
}

export interface WebhookEndpoints {
  /** @returns null if the tenant has as many as it may. */
  create(tenant: string, endpoint: Required<EndpointChange>): Promise<NewEndpoint | null>;
  list(tenant: string): Promise<readonly EndpointView[]>;
  get(tenant: string, id: string): Promise<EndpointView | null>;
  update(tenant: string, id: string, change: EndpointChange): Promise<EndpointView | null>;
  remove(tenant: string, id: string): Promise<boolean>;
  /** @param overlapMs how long the old secret stays valid. */
  rotate(tenant: string, id: string, overlapMs: number): Promise<NewEndpoint | null>;
  target(tenant: string, id: string): Promise<WebhookTarget | null>;
  /** Signs deliveries of requests that bring no secret; created by its first rotation. */
  rotateOwnSecret(tenant: string, overlapMs: number): Promise<string>;
  /** @returns undefined if the webhook brings no secret and the tenant has none. */
  seal(
    tenant: string,
    webhook: { readonly url: string; readonly secret?: string | undefined },
  ): Promise<string | undefined>;
}
