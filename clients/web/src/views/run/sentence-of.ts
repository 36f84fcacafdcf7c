/** The state of a run in a sentence. */
import type { Connection } from '../../generation-follower.ts';
import type { GenerationState } from '../../generation-state.ts';

/** Changes with the connection and not with every token, because screen readers announce it. */
export function sentenceOf(connection: Connection, { status, attempts }: GenerationState): string {
  if (connection.state === 'refused') return `The stream was refused: ${connection.error.message}`;
  if (connection.state === 'cut') {
    return `Cut after event ${connection.after}. The generation continues on the server.`;
  }
  if (connection.state === 'lost') {
    return `Connection lost after event ${connection.after} (${connection.reason}). Reconnecting.`;
  }
  if (status === 'completed') return 'The answer is complete.';
  if (status === 'failed') return 'The generation failed.';
  if (status === 'cancelled') return 'The generation was cancelled.';
  if (connection.state === 'connecting') return 'Connecting.';
  return attempts === 0 ? 'Waiting for a model.' : 'Receiving text.';
}
