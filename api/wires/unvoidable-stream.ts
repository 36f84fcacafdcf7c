/** Streams in a format that cannot void text: a `VoidGuard` filters events, and an in-band error ends the stream. */
import type { Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { LogHead, LogReader } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { toGenerationFailure } from '../relay/hold-status.ts';
import type { DroppedFields } from './dropped-fields.ts';
import { streamToClient } from './stream-to-client.ts';
import { findVoidedBefore, VoidGuard } from './void-guard.ts';
import type { Projection } from './wire.ts';

interface UnvoidableLog<Frame> {
  readonly head: LogHead;
  readonly projection: Projection<Frame>;
}

interface UnvoidableStream<Frame> extends UnvoidableLog<Frame> {
  /** Further logs in the same stream. What ends one of them with an error ends all. */
  readonly others?: readonly UnvoidableLog<Frame>[];
  readonly dropped?: DroppedFields | undefined;
  readonly encode: (frame: Frame) => string;
  readonly encodeError: (error: UnbrokenError) => string;
  /** Sent after the last frame of an answer that ended well. */
  readonly last: () => string;
}

/** @returns the error that ended the stream; null if it ended well, or the client has left. */
export async function streamUnvoidable<Frame>(
  dependencies: ApiDependencies,
  response: Response,
  stream: UnvoidableStream<Frame>,
): Promise<UnbrokenError | null> {
  const { head, others = [], dropped, encodeError, last } = stream;
  const { holdRoutes } = dependencies.config.wires;
  const isHeld = holdRoutes.includes(head.route);
  const logs = await Promise.all(
    [stream, ...others].map((log) =>
      UnvoidableFrames.of(dependencies, log, { isHeld, encode: stream.encode }),
    ),
  );
  let failure: UnbrokenError | null = null;
  const [first, ...further] = logs.map((log) => ({
    generationId: log.generationId,
    encode: (event: GenerationEvent) => {
      if (failure !== null) return '';
      const frames = log.push(event);
      failure = log.failure;
      return failure === null ? frames : `${frames}${encodeError(failure)}`;
    },
  }));
  if (first === undefined) throw new UnbrokenError('internal', 'A stream has at least one log.');
  await streamToClient(dependencies, response, {
    ...first,
    others: further,
    dropped,
    coalesces: true,
    // Once the log has ended, no more of its text can become void.
    afterEnd: isHeld
      ? async () => {
          await Promise.all(logs.map((log) => log.guardAgain()));
        }
      : undefined,
    isOver: () => failure !== null,
    last: () => (failure === null ? last() : ''),
  });
  return failure;
}

interface FrameSettings<Frame> {
  readonly isHeld: boolean;
  readonly encode: (frame: Frame) => string;
}

/** The frames of one log, up to its end or to what no frame can express. */
class UnvoidableFrames<Frame> {
  readonly #log: LogReader;
  readonly #source: UnvoidableLog<Frame>;
  readonly #settings: FrameSettings<Frame>;
  #guard = new VoidGuard(-1);
  #failure: UnbrokenError | null = null;

  static async of<Frame>(
    { log }: Pick<ApiDependencies, 'log'>,
    source: UnvoidableLog<Frame>,
    settings: FrameSettings<Frame>,
  ): Promise<UnvoidableFrames<Frame>> {
    const frames = new UnvoidableFrames(log, source, settings);
    await frames.guardAgain();
    return frames;
  }

  private constructor(log: LogReader, source: UnvoidableLog<Frame>, settings: FrameSettings<Frame>) {
    this.#log = log;
    this.#source = source;
    this.#settings = settings;
  }

  get generationId(): string {
    return this.#source.head.generationId;
  }

  get failure(): UnbrokenError | null {
    return this.#failure;
  }

  async guardAgain(): Promise<void> {
    const voidUnfinished = this.#settings.isHeld;
    this.#guard = new VoidGuard(await findVoidedBefore(this.#log, this.generationId, { voidUnfinished }));
  }

  push(event: GenerationEvent): string {
    const frames = this.#guard.admit(event) ? this.#framesOf(event) : [];
    this.#failure ??= this.#guard.broken;
    if (event.type === 'generation-error') this.#failure = toGenerationFailure(event, this.generationId);
    if (event.type === 'generation-cancel') {
      this.#failure = new UnbrokenError('cancelled', `The generation ${this.generationId} was cancelled.`);
    }
    return frames.map(this.#settings.encode).join('');
  }

  #framesOf(event: GenerationEvent): readonly Frame[] {
    try {
      return this.#source.projection.push(event);
    } catch (error) {
      if (!(error instanceof UnbrokenError)) throw error;
      this.#failure = error;
      return [];
    }
  }
}
