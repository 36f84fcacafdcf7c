/**
 * A request as the simulated model sees it. The wires cut messages differently and order their parts differently, so a
 * conversation is first brought into one form; whatever depends on it is the same on every wire.
 */
import { createHash } from 'node:crypto';
import {
  type Message,
  mediaOfResult,
  type Part,
  partsOf,
  type Tool,
  type ToolChoice,
  textOfResult,
} from '../../contracts/content.ts';

export interface SimulatedTool extends Pick<Tool, 'name' | 'parameters'> {
  /** Whether it takes plain text, which only one wire has. */
  readonly isCustom?: boolean;
}

export interface SimulatedInput {
  readonly system?: string | undefined;
  readonly messages: readonly Message[];
  readonly tools?: readonly SimulatedTool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly output?: { readonly schema?: Record<string, unknown> | undefined } | undefined;
  /** Whether the request asks for reasoning. */
  readonly thinks?: boolean | undefined;
}

/** All neighbouring messages of one role. */
export interface Turn {
  readonly role: Message['role'];
  readonly toolResults: readonly string[];
  /** Everything but tool results, in order. */
  readonly others: readonly Part[];
}

/** Without the system messages, whose text stands before the conversation (`systemOf`). */
export function turnsOf(messages: readonly Message[]): Turn[] {
  const turns: { role: Message['role']; toolResults: string[]; others: Part[] }[] = [];
  for (const message of messages.filter((each) => !isSystem(each))) {
    let turn = turns.at(-1);
    if (turn?.role !== message.role) {
      turn = { role: message.role, toolResults: [], others: [] };
      turns.push(turn);
    }
    for (const part of partsOf(message)) {
      if (part.type === 'tool-result') {
        turn.toolResults.push(textOfResult(part));
        turn.others.push(...mediaOfResult(part));
      } else turn.others.push(part);
    }
  }
  return turns;
}

/** The whole conversation as one string: what the text of the answer is a hash of. */
export function promptOf({ system, messages }: SimulatedInput): string {
  return JSON.stringify([
    systemOf({ system, messages }),
    turnsOf(messages).map(({ role, ...turn }) => [role, textOfTurn(turn)]),
  ]);
}

/** The system text and the system messages, wherever they stand. */
function systemOf({ system, messages }: Pick<SimulatedInput, 'system' | 'messages'>): string {
  const texts = messages.filter(isSystem).map((message) => partsOf(message).map(textOfPart).join('\n\n'));
  return [system ?? '', ...texts].filter((text) => text !== '').join('\n\n');
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function textOfTurn({ toolResults, others }: Omit<Turn, 'role'>): string {
  return [...toolResults, ...others.map(textOfPart)].join('\n');
}

export function inputTokens({ system, messages }: SimulatedInput): number {
  const turns = turnsOf(messages);
  const chars =
    systemOf({ system, messages }).length + turns.reduce((sum, turn) => sum + textOfTurn(turn).length, 0);
  return Math.ceil(chars / 4) + 4 * messages.length;
}

export function textOfPart(part: Part): string {
  if (part.type === 'text') return part.text;
  if (part.type === 'tool-result') return textOfResult(part);
  if (part.type === 'tool-call') return `${part.name} ${canonicalJson(part.arguments)}`;
  if (part.type === 'reasoning') return '';
  if (part.type === 'native') return `[${String(part.value['type'])}]`;
  return `[${part.type} ${createHash('sha256').update(part.url).digest('hex').slice(0, 8)}]`;
}

/** Some wires carry arguments as an object and lose how they were written. */
function canonicalJson(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json;
  }
}
