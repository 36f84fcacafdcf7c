/** Streams in a format that cannot void text: a `VoidGuard` filters events, and an in-band error ends the stream. */
import type { Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { toGenerationFailure } from '../relay/hold-status.ts';
import type { DroppedFields } from './dropped-fields.ts';
import { streamToClient } from './serve.ts';
import { findVoidedBefore, VoidGuard } from './void-guard.ts';
import type { Projection } from './wire.ts';

interface UnvoidableStream<Frame> {
  readonly head: LogHead;
  readonly dropped?: DroppedFields | undefined;
  readonly projection: Projection<Frame>;
  readonly encode: (frame: Frame) => string;
  readonly encodeError: (error: UnbrokenError) => string;
  /** Sent after the last frame of an answer that ended well. */
  readonly last: string;
}

export async function streamUnvoidable<Frame>(
  dependencies: ApiDependencies,
  response: Response,
  { head, dropped, projection, encode, encodeError, last }: UnvoidableStream<Frame>,
): Promise<void> {
  const { generationId, route } = head;
  const isHeld = dependencies.config.wires.holdRoutes.includes(route);
  const newGuard = async () =>
    new VoidGuard(await findVoidedBefore(dependencies.log, generationId, { voidUnfinished: isHeld }));
  let guard = await newGuard();
  let failure: UnbrokenError | null = null;
  let isInexpressible = false;
  const framesOf = (event: GenerationEvent): readonly Frame[] => {
    try {
      return projection.push(event);
    } catch (error) {
      if (!(error instanceof UnbrokenError)) throw error;
      failure = error;
      isInexpressible = true;
      return [];
    }
  };
  await streamToClient(dependencies, response, {
    generationId,
    dropped,
    coalesces: true,
    // Once the log has ended, no more of its text can become void.
    afterEnd: isHeld
      ? async () => {
          guard = await newGuard();
        }
      : undefined,
    isOver: () => guard.broken !== null || isInexpressible,
    last: () => (failure === null ? last : ''),
    encode: (event) => {
      if (failure !== null) return '';
      const frames = guard.admit(event) ? framesOf(event) : [];
      failure ??= guard.broken;
      if (event.type === 'generation-error') failure = toGenerationFailure(event, generationId);
      if (event.type === 'generation-cancel') {
        failure = new UnbrokenError('cancelled', `The generation ${generationId} was cancelled.`);
      }
      return frames.map(encode).join('') + (failure === null ? '' : encodeError(failure));
    },
  });
}
