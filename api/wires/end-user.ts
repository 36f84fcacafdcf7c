/** The user whose budget is debited: the end user that a client names in its vendor's field. */
import { createHash } from 'node:crypto';
import type { Caller } from '../access/api-keys.ts';

const VALID_USER = /^[A-Za-z0-9_.@:-]{1,128}$/;

/** A name that is not a valid user id (some clients send JSON) is replaced by its hash. */
export function endUserOf(name: string | null | undefined): { readonly user?: string } {
  if (name === null || name === undefined || name === '') return {};
  if (VALID_USER.test(name)) return { user: name };
  return { user: `user_${createHash('sha256').update(name).digest('hex').slice(0, 32)}` };
}

/**
 * To other vendors an end user is a hint, and their clients send one by default. So a key without `any-user` debits its
 * own user, while our own format refuses the request.
 */
export function mayNameUser(caller: Caller): boolean {
  return caller.scopes.includes('any-user');
}
