/** The quick half of `prove -- clients`: agents and frameworks, unmodified, against a whole Unbroken. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Stack, startStack } from '../harness/stack.ts';
import { COMMAND_AGENTS } from '../prove/agents/command-agents.ts';
import { PROGRAM_AGENTS } from '../prove/agents/program-agents.ts';
import { tryAgent } from '../prove/agents/try-agents.ts';

const TRIED = ['Claude Code', 'Codex', 'AI SDK 7', '@openai/agents', 'pydantic-ai'];

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack?.stop());

describe('shows its user what the model said', () => {
  const agents = [...COMMAND_AGENTS, ...PROGRAM_AGENTS].filter(({ name }) =>
    TRIED.some((tried) => name.startsWith(tried) && !name.includes('"unbroken"')),
  );

  it.each(agents.map((agent) => ({ agent, name: agent.name })))(
    '$name: text, streaming, a tool, a second turn, a broken connection',
    async ({ agent }) => {
      const rows = await tryAgent(agent, stack);
      for (const row of rows.values()) {
        for (const outcome of Object.values(row)) expect(outcome ?? '').toBe('');
      }
      expect(rows.size).toBe(agent.wires.length);
    },
    300_000,
  );
});
