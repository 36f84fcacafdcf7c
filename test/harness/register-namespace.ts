import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

const RETENTION = '1 day';

/** Creates a namespace of Temporal, if there is none of that name. */
export async function registerNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(RETENTION),
    });
  } catch (error) {
    if (!String(error).includes('already')) throw error;
  } finally {
    await connection.close();
  }
}
