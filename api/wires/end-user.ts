/** Whose budget is debited: the end user that a client names in its vendor's field. */
import { createHash } from 'node:crypto';
import type { Caller } from '../access/api-keys.ts';

const OURS = /^[A-Za-z0-9_.@:-]{1,128}$/;

/** A name that our ids cannot hold (such as the JSON that some clients send) becomes a hash of it. */
export function endUserOf(named: string | null | undefined): { readonly user?: string } {
  if (named === null || named === undefined || named === '') return {};
  if (OURS.test(named)) return { user: named };
  return { user: `user_${createHash('sha256').update(named).digest('hex').slice(0, 32)}` };
}

/**
 * Vendors' clients send an end user unasked, which to their vendor is a hint. So a key that may not act for others
 * debits its own user, where our own format would refuse.
 */
export function mayName(caller: Caller): boolean {
  return caller.scopes.includes('any-user');
}
