/** Which worker runs the stream of a generation: Temporal knows, by the process id in its identity. */
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { workflowId } from '../../contracts/names.ts';
import type { Seat, Stack } from './stack.ts';

const DEV_TENANT = 'dev';
const connections = new Map<string, Promise<Connection>>();

export async function temporalClient(env: Readonly<Record<string, string>>): Promise<Client> {
  const address = env['TEMPORAL_ADDRESS'] ?? '';
  const open = connections.get(address) ?? Connection.connect({ address });
  connections.set(address, open);
  return new Client({ connection: await open });
}

/** Closes what `temporalClient` opened. */
export async function closeTemporalClients(): Promise<void> {
  const open = [...connections.values()];
  connections.clear();
  for (const connection of open) await (await connection).close();
}

/**
 * The seat of the worker that streams now: it has the activity, or before that the workflow task in which the stream
 * begins. Undefined where none has either, or the run is still to be started.
 */
export async function streamingWorker(stack: Stack, generationId: string): Promise<Seat | undefined> {
  const client = await temporalClient(stack.env);
  const handle = client.workflow.getHandle(workflowId(DEV_TENANT, generationId));
  const described = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  });
  if (described === null) return undefined;
  const { raw } = described;
  const identities = (raw.pendingActivities ?? []).map((activity) => activity.lastWorkerIdentity ?? '');
  if (identities.length === 0) {
    const last = (await handle.fetchHistory()).events?.at(-1);
    identities.push(last?.workflowTaskStartedEventAttributes?.identity ?? '');
  }
  return stack.workers.find((seat) => identities.some((identity) => identity.startsWith(`${seat.pid()}@`)));
}
