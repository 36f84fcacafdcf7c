/**
 * Opens the seals in an input for the call of one attempt: what the provider and the account of this call have issued.
 * All others stay closed, so that no thoughts reach another vendor, and the log says so.
 */
import { partsOf } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import type { ReasoningData } from '../../engine/providers/provider.ts';
import type { GateKey } from '../../engine/routing/provider-gate.ts';
import type { Dependencies } from '../dependencies.ts';

export interface OpenedSeals {
  readonly opened: ReadonlyMap<string, ReasoningData>;
  /** Names for `provider-start` what this call leaves out; empty if nothing. */
  readonly dropped: readonly string[];
}

const NOTHING: OpenedSeals = { opened: new Map(), dropped: [] };

interface SealedCall {
  readonly step: Pick<StreamStep, 'order' | 'candidate'>;
  readonly input: GenerationInput;
  readonly key: GateKey;
}

export async function openSeals(
  { seals, gate }: Pick<Dependencies, 'seals' | 'gate'>,
  { step, input, key }: SealedCall,
): Promise<OpenedSeals> {
  const sealed = new Set(input.messages.flatMap(sealsOf));
  if (sealed.size === 0) return NOTHING;
  const { provider } = step.candidate;
  const account = gate.keyCount(provider) > 1 ? key.id : null;
  const owner = { tenant: step.order.tenant, provider, account };
  const opened = new Map<string, ReasoningData>();
  for (const seal of sealed) {
    const data = await seals.open(owner, seal);
    if (data !== null) opened.set(seal, data);
  }
  return { opened, dropped: opened.size < sealed.size ? ['reasoning'] : [] };
}

function sealsOf(message: GenerationInput['messages'][number]): string[] {
  return partsOf(message).flatMap((part) =>
    part.type === 'reasoning' && part.sealed !== undefined ? [part.sealed] : [],
  );
}
