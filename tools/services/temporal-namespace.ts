/** Whether a Temporal is ready for us: it serves the namespace and knows our search attributes. */
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import type { TemporalServer } from '../../platform/config/temporal-environment.ts';
import { connectionOptions } from '../../platform/temporal/connection-options.ts';
import { ServiceError } from './programs/service-error.js';

const CONNECT_MS = 5_000;
const CALL_MS = 5_000;

/** Temporal's IndexedValueType, as its API numbers it. */
const VALUE_TYPES = { Keyword: 2, Int: 3 } as const;
/** Temporal Cloud has no operator service for its users. */
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/**
 * Adds the search attributes that the namespace lacks. True when it can be used; false when the new attributes are
 * not yet visible. Throws when the server does not answer or the namespace is missing, and ServiceError with the
 * command to run where the server lets us add none, as Temporal Cloud does.
 */
export async function checkNamespace(server: TemporalServer, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ ...connectionOptions(server), connectTimeout: CONNECT_MS });
  try {
    return await connection.withDeadline(Date.now() + CALL_MS, async () => {
      const missing = await missingAttributes(connection, namespace);
      if (missing.length === 0) return true;
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, typeOf(name)]));
      await connection.operatorService
        .addSearchAttributes({ namespace, searchAttributes })
        .catch((cause: unknown) => {
          if (!isRefused(cause)) throw cause;
          const what = `The namespace "${namespace}" lacks search attributes, and this client may not add them.`;
          throw new ServiceError(what, `Run: ${addByHand(namespace, missing)}`, { cause });
        });
      return false;
    });
  } finally {
    await connection.close();
  }
}

type AttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** Our search attributes that the namespace lacks. Throws where the namespace is missing. */
export async function missingAttributes(
  connection: Connection,
  namespace: string,
): Promise<readonly AttributeName[]> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const known = await connection.operatorService.listSearchAttributes({ namespace }).then(
    ({ customAttributes }) => new Set(Object.keys(customAttributes ?? {})),
    (error: unknown) => {
      if (!isRefused(error)) throw error;
      return new Set(Object.values(config?.customSearchAttributeAliases ?? {}));
    },
  );
  return (Object.keys(SEARCH_ATTRIBUTES) as AttributeName[]).filter((name) => !known.has(name));
}

/** How a person adds them at Temporal Cloud. */
export function addByHand(namespace: string, names: readonly AttributeName[]): string {
  const attributes = names.map((name) => `--sa "${name}=${SEARCH_ATTRIBUTES[name]}"`).join(' ');
  return `tcld namespace search-attributes add --namespace ${namespace} ${attributes}`;
}

function typeOf(name: AttributeName): number {
  return VALUE_TYPES[SEARCH_ATTRIBUTES[name]];
}

function isRefused(error: unknown): boolean {
  return isGrpcServiceError(error) && [PERMISSION_DENIED, UNIMPLEMENTED].includes(error.code);
}
