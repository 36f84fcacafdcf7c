/** The thoughts in a conversation that this provider has issued, and that this call may return to it. */
import { type Message, type Part, partsOf, type ReasoningPart } from '../../contracts/content.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { partsOfType } from './message-parts.ts';
import type { ReasoningData } from './provider.ts';

export type OpenedSeals = ReadonlyMap<string, ReasoningData>;

export const NO_SEALS: OpenedSeals = new Map();

/** @returns null if the part has no seal, or one that another provider or wire has issued. */
export function openedOf(
  { sealed }: ReasoningPart,
  wire: WireFamily,
  seals: OpenedSeals,
): ReasoningData | null {
  const data = sealed === undefined ? undefined : seals.get(sealed);
  return data?.wire === wire ? data : null;
}

/** What belongs to the tool calls of a message, by their ids. */
export function openedOfCalls(
  message: Message,
  wire: WireFamily,
  seals: OpenedSeals,
): ReadonlyMap<string, ReasoningData['value']> {
  const data = partsOfType(message, 'reasoning').map((part) => openedOf(part, wire, seals));
  return new Map(data.flatMap((own) => (own?.callId === undefined ? [] : [[own.callId, own.value]])));
}

/** What belongs to the message itself, or to a place in it. */
export function openedOfPart(
  part: Part,
  wire: WireFamily,
  seals: OpenedSeals,
): ReasoningData['value'] | null {
  if (part.type !== 'reasoning') return null;
  const data = openedOf(part, wire, seals);
  return data === null || data.callId !== undefined ? null : data.value;
}

/** All of it that belongs to no tool call. */
export function openedOfMessage(
  message: Message,
  wire: WireFamily,
  seals: OpenedSeals,
): readonly ReasoningData['value'][] {
  const values = partsOf(message).map((part) => openedOfPart(part, wire, seals));
  return values.filter((value) => value !== null);
}
