/**
 * What a list shows of a generation, kept beside its log: a list of a hundred would otherwise read a hundred logs, each
 * as long as its answer. Every append writes what its own events change, so a log's text is never needed for it.
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
  /** Calls of providers that have begun. */
  readonly attempts: number;
  readonly continues: string | null;
  /** The terminal event; null while the generation runs. */
  readonly end: EventBody | null;
}

/** The fields that these events change, as pairs of name and value; empty for text alone. */
export function viewFields(events: readonly EventBody[]): string[] {
  const fields: Record<string, string> = {};
  for (const event of events) {
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') continue;
    if (event.type === 'generation-start') fields['prompt'] = JSON.stringify(event.prompt ?? null);
    if (event.type === 'generation-continue') fields['continues'] = event.generationId;
    if (event.type === 'provider-start') fields['attempts'] = String(event.attempt);
    if ('provider' in event) {
      fields['provider'] = event.provider;
      fields['model'] = event.model;
    }
    if (event.type === 'usage-update' || 'attempts' in event) {
      fields['usage'] = JSON.stringify(event.usage);
      fields['costMicroUsd'] = String(event.costMicroUsd);
    }
    if (isTerminal(event)) fields['end'] = JSON.stringify(event);
  }
  return Object.entries(fields).flatMap(([name, value]) => [`${PREFIX}${name}`, value]);
}

/** @returns null where the log was begun by code that kept no view. */
export function viewOf(stored: Readonly<Record<string, string>>): LogView | null {
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
