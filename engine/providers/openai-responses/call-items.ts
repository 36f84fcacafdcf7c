/** The items of an output that are calls, and what they contain. */
import type {
  ResponseCustomToolCall,
  ResponseFunctionToolCall,
  ResponseOutputItem,
} from 'openai/resources/responses/responses';
import { isJsonObject } from '../../../contracts/json.ts';
import { customToolArguments } from '../../../contracts/responses-tools.ts';

/** A call of a function, or of a tool that takes plain text: both are calls here. */
export type CallItem = ResponseFunctionToolCall | ResponseCustomToolCall;

export function isCall(item: ResponseOutputItem): item is CallItem {
  return item.type === 'function_call' || item.type === 'custom_tool_call';
}

/** Some servers leave one of the two ids out. */
export function toCall({ call_id, id, name }: CallItem): { id: string; name: string } {
  return { id: call_id || (id ?? ''), name };
}

/** The whole arguments of a call: some servers send them as the object that they stand for. */
export function argumentsOf(item: CallItem): string {
  return item.type === 'custom_tool_call' ? inputOf(item.input) : textOfArguments(item.arguments);
}

export function textOfArguments(written: unknown): string {
  if (isJsonObject(written)) return JSON.stringify(written);
  return typeof written === 'string' ? written : '';
}

function inputOf(input: unknown): string {
  return typeof input === 'string' ? customToolArguments(input) : '';
}
