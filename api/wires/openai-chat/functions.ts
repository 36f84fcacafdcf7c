/**
 * Functions, from which tools have developed: `functions`, `function_call` and messages of the role `function`. They
 * are tools from here on, and the answer has `function_call` again. Source: the types of the official client,
 * ChatCompletionCreateParams.Function and ChatCompletionFunctionMessageParam.
 */
import type { ChatCompletionChunk, ChatCompletionMessage } from 'openai/resources/chat/completions';
import { z } from 'zod';
import { callArgumentsSchema, jsonSchemaSchema } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';

const functionSchema = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
});
export const functionFields = {
  functions: z.array(functionSchema).max(LIMITS.toolsPerRequest).nullish(),
  function_call: z.union([z.enum(['none', 'auto']), z.object({ name: z.string() })]).nullish(),
};
export const functionCallSchema = z.looseObject({ name: z.string(), arguments: callArgumentsSchema });
export const functionMessageSchema = z.looseObject({
  role: z.literal('function'),
  name: z.string(),
  content: z.string().nullish(),
});

type FunctionChoice = z.infer<(typeof functionFields)['function_call']>;

interface ToolFields<Tool, Choice> {
  readonly tools?: readonly Tool[] | null | undefined;
  readonly tool_choice?: Choice | null | undefined;
  readonly functions?: z.infer<(typeof functionFields)['functions']>;
  readonly function_call?: FunctionChoice;
}

export function usesFunctions({
  functions,
}: {
  readonly functions?: readonly unknown[] | null | undefined;
}): boolean {
  return (functions ?? []).length > 0;
}

/** The tools of a request, by whichever name it has them. @throws invalid_request as the vendor does */
export function toolsOf<Tool, Choice>(body: ToolFields<Tool, Choice>) {
  const { tools, tool_choice, functions, function_call: called } = body;
  if (!usesFunctions(body)) {
    if (called === null || called === undefined) return { tools: tools ?? [], choice: tool_choice };
    throw refusal('function_call', 'It is only allowed beside functions; beside tools, use tool_choice.');
  }
  if ((tools ?? []).length > 0) throw refusal('functions', 'A request has either functions or tools.');
  return {
    tools: (functions ?? []).map((own) => ({ type: 'function' as const, function: own })),
    choice: typeof called === 'object' && called !== null ? { type: 'function' as const, ...called } : called,
  };
}

/** Gives calls the ids that functions lack: by their places, so that a later turn has the same ones. */
export class FunctionCalls {
  /** The ids of those without a result, by the function. */
  readonly #open = new Map<string, string[]>();

  add(name: string, messageIndex: number): string {
    const id = `call_function_${messageIndex}`;
    const ids = this.#open.get(name) ?? [];
    ids.push(id);
    this.#open.set(name, ids);
    return id;
  }

  /** @returns the id of the last call of this function that has no result. @throws invalid_request */
  resultOf(name: string, messageIndex: number): string {
    const id = this.#open.get(name)?.pop();
    if (id !== undefined) return id;
    throw refusal(`messages.${messageIndex}.name`, 'No function_call of this name before it lacks a result.');
  }
}

function refusal(param: string, message: string): UnbrokenError {
  return new UnbrokenError('invalid_request', `${param}: ${message}`, { details: { param } });
}

interface ToolCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The only call that a message with functions can have: the first. */
export function functionCallOf([call]: readonly ToolCall[]): Pick<ChatCompletionMessage, 'function_call'> {
  if (call === undefined) return {};
  const { id: _id, function: called, ...seal } = call;
  return { function_call: { ...called, ...withoutType(seal) } };
}

type Delta = ChatCompletionChunk.Choice['delta'];

/** The same of a delta; null: it is of a later call. */
export function functionDelta(
  call: NonNullable<Delta['tool_calls']>[number],
): Pick<Delta, 'function_call'> | null {
  if (call.index > 0) return null;
  const { index: _index, id: _id, function: called, ...seal } = call;
  return { function_call: { ...called, ...withoutType(seal) } };
}

/** What else belongs to the call: the seal of its thought. */
function withoutType({ type: _type, ...rest }: { readonly type?: string }): object {
  return rest;
}
