/**
 * `/v1/keys`: the keys of the caller's tenant; of any tenant with the scope `operator`. A key can neither grant a scope
 * that it lacks nor rotate or revoke a key that has one, because an admin could take over an operator's key otherwise.
 */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import {
  createKeySchema,
  type KeyView,
  principalNameSchema,
  rotateKeySchema,
  type Scope,
} from '../../contracts/keys.ts';
import type { ApiKeys, Caller } from '../access/api-keys.ts';
import { assertScope, callerIn } from '../access/authenticate.ts';
import { parseBody, parseQuery } from '../http/read-request.ts';

interface Dependencies {
  readonly keys: ApiKeys;
}

export const keysQuerySchema = z.object({ tenant: principalNameSchema.optional() });

/** Scopes that an admin may grant, even those that its own key lacks. */
const GRANTED_BY_ADMIN: readonly Scope[] = ['generate', 'any-user', 'admin'];

/** `GET /v1/keys`, without secrets; `?tenant=` for an operator. */
export function listKeys({ keys }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { tenant } = parseQuery(request, keysQuerySchema);
    response.json({ data: await keys.list(tenantFor(callerIn(response), tenant)) });
  };
}

/** `POST /v1/keys`: 201 with the key, which is shown only this once. */
export function createKey({ keys }: Dependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    const { tenant, ...owner } = parseBody(request, createKeySchema);
    assertGrants(caller, owner.scopes);
    response.status(201).json(await keys.create({ ...owner, tenant: tenantFor(caller, tenant) }));
  };
}

/** `POST /v1/keys/:id/rotate`: a new secret under the same id. */
export function rotateKey({ keys }: Dependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = await findManaged(keys, callerIn(response), request.params.id);
    const { overlapMs } = parseBody(request, rotateKeySchema);
    const rotated = await keys.rotate(id, overlapMs);
    if (rotated === null) throw noSuchKey(id);
    response.status(201).json(rotated);
  };
}

/** `DELETE /v1/keys/:id`: every process refuses the key from now on, and closes its connections. */
export function revokeKey({ keys }: Dependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = await findManaged(keys, callerIn(response), request.params.id);
    await keys.revoke(id);
    response.status(204).end();
  };
}

async function findManaged(keys: ApiKeys, caller: Caller, id: string): Promise<KeyView> {
  const key = principalNameSchema.safeParse(id).success ? await keys.view(id) : null;
  const isOwn = key?.tenant === caller.tenant || caller.scopes.includes('operator');
  if (key === null || !isOwn) throw noSuchKey(id);
  assertGrants(caller, key.scopes);
  return key;
}

function tenantFor(caller: Caller, tenant: string | undefined): string {
  if (tenant === undefined || tenant === caller.tenant) return caller.tenant;
  assertScope(caller, 'operator');
  return tenant;
}

function assertGrants(caller: Caller, granted: readonly Scope[]): void {
  for (const scope of granted) if (!GRANTED_BY_ADMIN.includes(scope)) assertScope(caller, scope);
}

function noSuchKey(id: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no key ${id}.`);
}
