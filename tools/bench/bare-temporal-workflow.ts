import { proxyLocalActivities } from '@temporalio/workflow';

/** @returns all that the provider sent. */
export type Stream = (id: string, body: string) => Promise<string>;

const { stream } = proxyLocalActivities<{ stream: Stream }>({ startToCloseTimeout: '1 minute' });

/** The one step of a generation on Temporal alone; Temporal keeps its result. */
export function generateBarely(id: string, body: string): Promise<string> {
  return stream(id, body);
}
