/**
 * Notes in the log what the generation before this one has written: a summary in place of the older turns. Without a
 * note the whole conversation is sent.
 */
import { textOf } from '../contracts/fold-events.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { Dependencies } from './dependencies.ts';

export function noteCompaction({ log, context }: Pick<Dependencies, 'log' | 'context'>) {
  return async ({ generationId, tenant }: GenerationOrder): Promise<void> => {
    const input = await log.readInput(generationId);
    if (input?.compaction === undefined) return;
    const { generationId: writer } = input.compaction;
    const summary = textOf(await log.readMerged(writer)).trim();
    const sealed = summary === '' ? null : await context.seal(tenant, input, summary);
    if (sealed === null) return;
    await log.appendOnce(generationId, 'compaction', [{ type: 'compaction', generationId: writer, sealed }]);
  };
}
