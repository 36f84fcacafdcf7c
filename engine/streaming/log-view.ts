/**
 * What a list shows of a generation, kept beside its log. Every append updates the fields that its own events change.
 * Otherwise a list of a hundred generations would read a hundred logs, each as long as its answer.
 */
import { z } from 'zod';
import { type EventBody, eventBodySchema } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { usageSchema } from '../../contracts/generation.ts';

const PREFIX = 'view:';

const storedViewSchema = z.object({
  prompt: z.string(),
  provider: z.string().optional(),
  model: z.string().optional(),
  usage: z.string().optional(),
  costMicroUsd: z.coerce.number().int().optional(),
  attempts: z.coerce.number().int().optional(),
  continues: z.string().optional(),
  end: z.string().optional(),
});
const promptSchema = z.object({ name: z.string(), version: z.int() }).nullable();

export interface LogView {
  readonly prompt: z.infer<typeof promptSchema>;
  readonly provider: string | null;
  readonly model: string | null;
  readonly usage: z.infer<typeof usageSchema> | null;
  readonly costMicroUsd: number | null;
  /** Provider calls that have started. */
  readonly attempts: number;
  readonly continues: string | null;
  /** The terminal event; null while the generation runs. */
  readonly end: EventBody | null;
}

/** The fields of the log's hash that these events change; empty for text alone. */
export function logViewFields(events: readonly EventBody[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const event of events) {
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') continue;
    if (event.type === 'generation-start') fields[`${PREFIX}prompt`] = JSON.stringify(event.prompt ?? null);
    if (event.type === 'generation-continue') fields[`${PREFIX}continues`] = event.generationId;
    if (event.type === 'provider-start') fields[`${PREFIX}attempts`] = String(event.attempt);
    if ('provider' in event) {
      fields[`${PREFIX}provider`] = event.provider;
      fields[`${PREFIX}model`] = event.model;
    }
    if (event.type === 'usage-update' || 'attempts' in event) {
      fields[`${PREFIX}usage`] = JSON.stringify(event.usage);
      fields[`${PREFIX}costMicroUsd`] = String(event.costMicroUsd);
    }
    if (isTerminal(event)) fields[`${PREFIX}end`] = JSON.stringify(event);
  }
  return fields;
}

/** @returns null if the log was created by code that kept no view. */
export function parseLogView(stored: Readonly<Record<string, string>>): LogView | null {
  if (stored[`${PREFIX}prompt`] === undefined) return null;
  const view = storedViewSchema.parse(
    Object.fromEntries(
      Object.entries(stored).flatMap(([name, value]) =>
        name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value]] : [],
      ),
    ),
  );
  return {
    prompt: promptSchema.parse(JSON.parse(view.prompt)),
    provider: view.provider ?? null,
    model: view.model ?? null,
    usage: view.usage === undefined ? null : usageSchema.parse(JSON.parse(view.usage)),
    costMicroUsd: view.costMicroUsd ?? null,
    attempts: view.attempts ?? 0,
    continues: view.continues ?? null,
    end: view.end === undefined ? null : eventBodySchema.parse(JSON.parse(view.end)),
  };
}
