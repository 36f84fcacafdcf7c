/** Who may read what a user of a tenant owns: that user, and a key for any user of the tenant. */
import type { Caller } from './api-keys.ts';

interface Owner {
  readonly tenant: string;
  readonly user: string;
}

export function mayRead(
  { tenant, user, scopes }: Pick<Caller, 'tenant' | 'user' | 'scopes'>,
  owner: Owner,
): boolean {
  return owner.tenant === tenant && (owner.user === user || scopes.includes('any-user'));
}
