/** Whether a Temporal is ready for us: it serves the namespace and knows our search attributes. */
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';

const CONNECT_MS = 5_000;
const CALL_MS = 5_000;

/** Temporal's IndexedValueType, as its API numbers it. */
const VALUE_TYPES = { Keyword: 2, Int: 3 } as const;

/**
 * Adds the search attributes that the namespace lacks. True when it can be used; false when the new attributes are
 * not yet visible. Throws when the server does not answer or the namespace is missing.
 */
export async function checkNamespace(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_MS });
  try {
    return await connection.withDeadline(Date.now() + CALL_MS, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.entries(SEARCH_ATTRIBUTES).filter(
        ([name]) => !(name in (customAttributes ?? {})),
      );
      if (missing.length === 0) return true;
      const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, VALUE_TYPES[type]]));
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      return false;
    });
  } finally {
    await connection.close();
  }
}
