/** Frames of `WS /v1/stream`: JSON text, one object a frame. PROTOCOL.md is the prose of this file. */
import { z } from 'zod';
import type { ErrorBody } from './errors.ts';
import type { GenerationEvent } from './events.ts';

export const clientFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    generationId: z.string().min(1).max(128),
    /** The last seq that the client has; -1 (the default) for all. */
    after: z.int().min(-1).default(-1),
    /** `at` of that event, to check that this seq still is the same event. */
    at: z.int().nonnegative().optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), generationId: z.string().min(1).max(128) }),
  /** Stops the events of that generation until `resume`; then the missed events follow, merged. */
  z.strictObject({ type: z.literal('pause'), generationId: z.string().min(1).max(128) }),
  z.strictObject({ type: z.literal('resume'), generationId: z.string().min(1).max(128) }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ClientFrame = z.input<typeof clientFrameSchema>;

export type ServerFrame =
  | { readonly type: 'event'; readonly generationId: string; readonly event: GenerationEvent }
  | { readonly type: 'subscribed'; readonly generationId: string; readonly after: number }
  | { readonly type: 'unsubscribed'; readonly generationId: string }
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly generationId?: string; readonly error: ErrorBody };
