/** The user whose budget is debited: the end user that a client names in its vendor's field. */
import { createHash } from 'node:crypto';
import type { Caller } from '../access/api-keys.ts';

const VALID_USER = /^[A-Za-z0-9_.@:-]{1,128}$/;

/** What some coding agents send; the account may be empty. */
const AGENT_USER = /^user_([0-9a-f]{16,128})_account_([0-9a-f-]*)_session_[0-9a-f-]*$/;

/**
 * Agents put their session beside the account and the device. It is left out: a person's sessions are one user. A name
 * that is not a valid user id is replaced by its hash.
 */
export function endUserOf(name: string | null | undefined): { readonly user?: string } {
  if (name === null || name === undefined || name === '') return {};
  const lasting = withoutSession(name);
  if (VALID_USER.test(lasting)) return { user: lasting };
  return { user: `user_${createHash('sha256').update(lasting).digest('hex').slice(0, 32)}` };
}

/** The account, else the device, else what is left without the session. */
function withoutSession(name: string): string {
  const [, device, account] = AGENT_USER.exec(name) ?? [];
  if (device !== undefined) return account || device;
  const fields = fieldsIn(name);
  if (fields === null) return name;
  for (const field of ['account_uuid', 'device_id']) {
    const value = fields[field];
    if (typeof value === 'string' && value !== '') return value;
  }
  const lasting = Object.entries(fields).filter(([field]) => !/session|conversation|thread/i.test(field));
  return lasting.length === 0 ? name : JSON.stringify(lasting.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The fields of a name that is a JSON object; null for any other name. */
function fieldsIn(name: string): Readonly<Record<string, unknown>> | null {
  if (!name.startsWith('{')) return null;
  try {
    return JSON.parse(name) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/**
 * To other vendors an end user is a hint, and their clients send one by default. So a key without `any-user` debits its
 * own user, while our own format refuses the request.
 */
export function mayNameUser(caller: Caller): boolean {
  return caller.scopes.includes('any-user');
}
