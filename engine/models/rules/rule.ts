/**
 * What a vendor demands of a request beyond its format. A rule either fits the input, so that the vendor accepts what
 * it would have refused, or reports a violation, so that the request is refused before a call is made.
 */
import type { Message, Part } from '../../../contracts/content.ts';
import { partsOf } from '../../../contracts/content.ts';
import type { Candidate, GenerationInput } from '../../../contracts/generation.ts';
import type { ModelFacts } from '../../../contracts/model.ts';
import type { ProviderConfig } from '../../../platform/config/schema.ts';

/** A model that is about to be called. */
export interface RuledCall extends Candidate {
  readonly config: Pick<ProviderConfig, 'wire' | 'baseUrl' | 'knownAs' | 'quirks'>;
  readonly facts: ModelFacts;
  readonly input: GenerationInput;
}

export interface Violation {
  /** As our own format names it; a path within it may follow. */
  readonly field: string;
  /** What the vendor demands, as the rest of a sentence after the field. */
  readonly demand: string;
}

export interface FittedInput {
  readonly input: GenerationInput;
  /** Fields that were left out because the vendor takes no other value; the response names them. */
  readonly dropped: readonly string[];
}

export interface VendorRules {
  /** The names that tools may have; another name is sent as one of them (tool-names.ts). */
  readonly toolName: ToolNameRule;
  /** Violations that no translation can mend, in the order in which they are reported. */
  readonly violations?: (call: RuledCall) => Iterable<Violation>;
  /** What only this vendor needs; the steps that all have in common come before it. */
  readonly fit?: (call: RuledCall) => FittedInput;
}

export interface ToolNameRule {
  readonly pattern: RegExp;
  readonly maxChars: number;
}

interface PartPlace {
  readonly role: Message['role'];
  /** Whether nothing follows in the whole conversation. */
  readonly isLast: boolean;
}

/** Replaces the parts of every message; a message without any left is left out. */
export function mapParts(
  messages: readonly Message[],
  map: (part: Part, place: PartPlace) => Part | null,
): readonly Message[] {
  return messages.flatMap((message, index): Message[] => {
    const own = partsOf(message);
    const isLastMessage = index === messages.length - 1;
    const mapped = own.flatMap((part, at) => {
      const isLast = isLastMessage && at === own.length - 1;
      return map(part, { role: message.role, isLast }) ?? [];
    });
    if (mapped.length === own.length && mapped.every((part, at) => part === own[at])) return [message];
    if (mapped.length === 0) return [];
    const [only] = mapped;
    const isPlain = typeof message.content === 'string' && only?.type === 'text';
    return [{ ...message, content: isPlain ? only.text : mapped }];
  });
}
