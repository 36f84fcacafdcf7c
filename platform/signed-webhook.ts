/**
 * Sends messages to a webhook, signed by the Standard Webhooks scheme (standardwebhooks.com: headers `webhook-id`,
 * `webhook-timestamp`, `webhook-signature`). One attempt; the caller retries with the same id, so a receiver can drop
 * duplicates.
 *
 * The address is checked at the connection, after the name was resolved, so the name cannot change between the check
 * and the call. Redirects are not followed.
 */
import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseWaitMs } from './parse-wait.ts';

export interface WebhookReceiver {
  readonly url: string;
  /** `whsec_` and base64, or any text. */
  readonly secret: string;
  /** The secret before a rotation, while it is valid: the message is signed with both. */
  readonly previousSecret?: string | undefined;
  /** Whether loopback, private and link-local addresses may be called. */
  readonly allowPrivateNetwork: boolean;
  readonly timeoutMs?: number;
  readonly clock?: () => number;
}

interface WebhookOptions extends WebhookReceiver {
  /** As errors call it, such as `budget webhook`. */
  readonly name: string;
  /** The setting that allows private addresses, as errors call it. */
  readonly privateSetting: string;
}

/** @param id the same at each repetition. @returns the status of the answer. @throws WebhookError */
type SendSigned = (id: string, message: object) => Promise<number>;

const TIMEOUT_MS = 10_000;

/** Says what failed and never what the receiver answered: it could be an internal service. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  /** The status of the answer; null if there was none. */
  readonly statusCode: number | null;
  /** How long the receiver asks to be left alone; null if it does not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, statusCode: number | null = null, retryAfterMs: number | null = null) {
    super(message);
    this.statusCode = statusCode;
    this.retryAfterMs = retryAfterMs;
  }
}

export function createSignedWebhook(options: WebhookOptions): SendSigned {
  const { name, secret, previousSecret, allowPrivateNetwork } = options;
  const { timeoutMs = TIMEOUT_MS, clock = Date.now } = options;
  const url = new URL(options.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const keys = [secret, ...(previousSecret === undefined ? [] : [previousSecret])].map(keyOf);
  const refuse = (address: string) =>
    new WebhookError(
      `The ${name} ${address} is not a public address; set ${options.privateSetting} if it is yours.`,
    );
  const resolve = allowPrivateNetwork ? undefined : publicLookup(refuse);
  return async (id, message) => {
    if (!allowPrivateNetwork && isIP(host) !== 0 && !isPublic(host)) throw refuse(host);
    const body = JSON.stringify(message);
    const timestamp = String(Math.floor(clock() / 1_000));
    const signatures = keys.map(
      (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
    );
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    };
    return post(url, { name, body, headers, timeoutMs, resolve });
  };
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
}

/** All public IPv6 addresses are in it; what lies outside leads to IPv4 inside (`::127.0.0.1`), or nowhere. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** Looks public, and is the host of every virtual machine in Azure. */
const AZURE_HOST = '168.63.129.16';

/** @param address of IPv4 or IPv6; false for a name. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` unwraps an IPv4 address that is written as IPv6 (::ffff:127.0.0.1).
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL_UNICAST) : parsed.toString() !== AZURE_HOST;
}

function publicLookup(refuse: (host: string) => WebhookError): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) callback(error, '', 0);
      // One private address among public ones is enough to refuse: the system chooses which one is called.
      else if (first === undefined || !addresses.every(({ address }) => isPublic(address)))
        callback(refuse(host), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

interface WebhookCall {
  readonly name: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Absent: the system's own lookup. */
  readonly resolve: LookupFunction | undefined;
}

function post(url: URL, { name, body, headers, timeoutMs, resolve }: WebhookCall): Promise<number> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((done, fail) => {
    const request = send(
      url,
      {
        method: 'POST',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        ...(resolve === undefined ? {} : { lookup: resolve }),
      },
      (response) => {
        const { statusCode = 0, headers } = response;
        response.destroy();
        if (statusCode >= 200 && statusCode < 300) done(statusCode);
        else {
          const wait = parseWaitMs(headers['retry-after'] ?? null, Date.now()) || null;
          fail(new WebhookError(`The ${name} answered ${statusCode}.`, statusCode, wait));
        }
      },
    );
    request.once('error', (error) => {
      fail(error instanceof WebhookError ? error : new WebhookError(`The ${name}: ${error.message}`));
    });
    request.end(body);
  });
}
