/** Parses a log's head from the fields of its hash in Redis. */
import { z } from 'zod';
import { generationStatuses } from '../../contracts/generation.ts';
import type { LogHead } from './event-log.ts';

const storedHeadSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  route: z.string(),
  status: z.enum(generationStatuses),
  next: z.coerce.number().int(),
  createdAt: z.coerce.number().int(),
  endedAt: z.coerce.number().int().optional(),
  metadata: z.string(),
  checkpoint: z.string().optional(),
  tornFrom: z.coerce.number().int().optional(),
  tornUntil: z.coerce.number().int().optional(),
  origin: z.string().optional(),
  erased: z.string().optional(),
  eraseAtEnd: z.string().optional(),
  cancel: z.string().optional(),
  archived: z.string().optional(),
  inputBytes: z.coerce.number().optional(),
});

export function parseHead(generationId: string, fields: Readonly<Record<string, string>>): LogHead {
  const stored = storedHeadSchema.parse(fields);
  return {
    generationId,
    tenant: stored.tenant,
    user: stored.user,
    route: stored.route,
    status: stored.status,
    nextSeq: stored.next,
    createdAt: stored.createdAt,
    endedAt: stored.endedAt ?? null,
    metadata: JSON.parse(stored.metadata),
    checkpoint: stored.checkpoint === undefined ? null : JSON.parse(stored.checkpoint),
    torn:
      stored.tornFrom === undefined || stored.tornUntil === undefined
        ? null
        : { from: stored.tornFrom, until: stored.tornUntil },
    origin: stored.origin === undefined ? null : JSON.parse(stored.origin),
    erased: stored.erased !== undefined || stored.eraseAtEnd !== undefined,
    isCancelRequested: stored.status === 'running' && stored.cancel !== undefined,
    isArchived: stored.archived !== undefined,
    ...(stored.inputBytes === undefined ? {} : { inputBytes: stored.inputBytes }),
  };
}
