/** The webhook of one request, as its input or its job keeps it: the address is checked, and sealed with its secret. */
import { isIP } from 'node:net';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { RequestWebhook, SealedWebhook } from '../../contracts/webhooks.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { isPublic } from '../../platform/signed-webhook.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** @throws invalid_request */
export async function sealWebhook(
  { config, webhookEndpoints }: Pick<ApiDependencies, 'config' | 'webhookEndpoints'>,
  tenant: string,
  { url, events, secret }: RequestWebhook,
): Promise<SealedWebhook> {
  assertMayCall(config, url, 'webhook.url');
  const sealed = await webhookEndpoints.seal(tenant, { url, secret });
  if (sealed === undefined) {
    const fix = 'send one, or have an admin create one: POST /v1/webhook_endpoints/default/rotate_secret';
    throw new UnbrokenError('invalid_request', `webhook.secret: the tenant has no secret; ${fix}.`, {
      details: { param: 'webhook.secret' },
    });
  }
  return { ...(events === undefined ? {} : { events }), sealed };
}

/**
 * Refuses early what no delivery could reach. A name is checked only when it is called, because it may change.
 * @throws invalid_request
 */
export function assertMayCall({ webhooks }: Pick<Config, 'webhooks'>, url: string, param: string): void {
  if (webhooks.allowPrivateNetwork) return;
  const { protocol, hostname } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  const setting = 'the setting for other addresses is webhooks.allowPrivateNetwork';
  const refuse = (demand: string) => {
    throw new UnbrokenError('invalid_request', `${param}: expected ${demand}; ${setting}.`, {
      details: { param },
    });
  };
  if (protocol !== 'https:') refuse('https');
  if (isIP(address) !== 0 && !isPublic(address)) refuse('a public address');
}
