/**
 * Every answer in JSON parses and is the provider's, and so are the arguments of every call of a tool; reasoning is the
 * provider's too. An answer that is not whole holds a beginning of them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GenerationEvent } from '../../../../contracts/events.ts';
import type { GenerationEvidence } from '../evidence.ts';
import { type Finding, finding } from './finding.ts';
import { copiesOf, type Held, type HeldCall, heldAfter, isWhole } from './held.ts';

type Expected = GenerationEvidence['expected'];

/** What one of them has. */
interface Copy {
  readonly events: readonly GenerationEvent[];
  readonly held: Held;
  readonly isWhole: boolean;
}

export function checkAnswers(generation: GenerationEvidence): Finding[] {
  const { accepted, expected } = generation;
  const asksJson = accepted.plan.body.output !== undefined;
  return copiesOf(generation).flatMap(({ who, wire, events }) => {
    const copy: Copy = { events, held: heldAfter(events), isWhole: isWhole(events) };
    // The Responses wire shows calls in the finished response.
    const calls = wire === 'responses' ? callsIn(events.at(-1)) : copy.held.calls;
    return [
      ...(asksJson && copy.isWhole ? jsonFaults(copy.held.text, expected.text) : []),
      ...(calls === null ? [] : callFaults(calls, copy, expected)),
      ...(wire === 'native' ? reasoningFaults(copy, expected) : []),
    ].map((what) => finding('garbled', accepted.id, `${who}: ${what}`));
  });
}

function jsonFaults(text: string, expected: string): string[] {
  const value = parsed(text);
  if (value === undefined) return [`JSON that cannot be parsed: ${text.slice(0, 200)}`];
  return isDeepStrictEqual(value, parsed(expected)) ? [] : [`${text.slice(0, 200)}, expected ${expected}`];
}

function callFaults(calls: readonly HeldCall[], { isWhole: whole }: Copy, { toolCalls }: Expected): string[] {
  const ids = new Set(calls.map(({ id }) => id));
  const faults = [
    ...(whole && calls.length !== toolCalls.length
      ? [`${calls.length} calls of tools, expected ${toolCalls.length}`]
      : []),
    ...(ids.size < calls.length || ids.has('') ? [`ids of calls: ${calls.map(({ id }) => id)}`] : []),
  ];
  for (const [place, { name, arguments: written }] of calls.entries()) {
    const right = toolCalls[place];
    const isRight = whole
      ? right !== undefined && isDeepStrictEqual(parsed(written), parsed(right.arguments))
      : right?.arguments.startsWith(written) === true;
    if (name !== right?.name || !isRight)
      faults.push(
        `call ${place} is ${name} ${written.slice(0, 200)}, expected ${right?.name} ${right?.arguments}`,
      );
  }
  return faults;
}

/** A stored answer has no reasoning; one that ended in the middle may have a beginning. */
function reasoningFaults({ events, held, isWhole: whole }: Copy, expected: Expected): string[] {
  const isStored = events.some(({ type }) => type === 'cache-hit');
  if (held.reasoning === expected.reasoning || (held.reasoning === '' && isStored)) return [];
  if (!whole && expected.reasoning.startsWith(held.reasoning)) return [];
  const { length } = held.reasoning;
  return [
    `reasoning of ${length} characters, expected ${expected.reasoning.length}: ${held.reasoning.slice(0, 99)}`,
  ];
}

/** null where the frame is not the end of a whole response. */
function callsIn(last: GenerationEvent | undefined): HeldCall[] | null {
  if (last === undefined || !('output' in last) || !Array.isArray(last.output)) return null;
  return (last.output as readonly Record<string, string>[])
    .filter(({ type }) => type === 'function_call')
    .map((item) => ({
      id: item['call_id'] ?? '',
      name: item['name'] ?? '',
      arguments: item['arguments'] ?? '',
    }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
