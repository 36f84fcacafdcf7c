/** Frameworks: each is tried by a small program in its own language, which uses it as its documentation shows. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Agent, AgentPlan, AgentWire, ShownBy } from './agent.ts';
import type { Packages } from './install.ts';
import { lastWords, runProgram } from './run-program.ts';

const WITHIN_MS = 240_000;
const ALL_WIRES = ['chat', 'responses', 'messages'] as const;
const OPENAI_WIRES = ['chat', 'responses'] as const;

const shownSchema = z.record(
  z.string(),
  z.union([
    z.object({ answers: z.array(z.string()), chunks: z.number().optional() }),
    z.object({ error: z.string() }),
  ]),
);

interface Framework {
  readonly name: string;
  readonly packages: Packages;
  /** In python/ or node/. */
  readonly program: string;
  readonly wires: readonly AgentWire[];
  /** What it calls the tool look_up, if not so. */
  readonly tool?: string;
}

const aiSdk = (version: string, packages: readonly string[]): Framework => ({
  name: `AI SDK ${version} (npm)`,
  packages: { from: 'npm', packages: [`ai@${version}`, ...packages, 'zod@4.1.12'] },
  program: 'node/ai-sdk.mjs',
  wires: ALL_WIRES,
});

const FRAMEWORKS: readonly Framework[] = [
  aiSdk('7.0.173', [
    '@ai-sdk/openai@4.0.118',
    '@ai-sdk/anthropic@4.0.105',
    '@ai-sdk/openai-compatible@3.0.92',
  ]),
  aiSdk('6.0.325', [
    '@ai-sdk/openai@3.0.141',
    '@ai-sdk/anthropic@3.0.140',
    '@ai-sdk/openai-compatible@2.0.92',
  ]),
  aiSdk('5.0.277', [
    '@ai-sdk/openai@2.0.130',
    '@ai-sdk/anthropic@2.0.112',
    '@ai-sdk/openai-compatible@1.0.61',
  ]),
  {
    name: '@openai/agents 0.20.0 (npm)',
    packages: { from: 'npm', packages: ['@openai/agents@0.20.0', 'zod@4.1.12'] },
    program: 'node/openai-agents.mjs',
    wires: OPENAI_WIRES,
  },
  {
    name: 'Mastra 1.71.0 (npm)',
    packages: {
      from: 'npm',
      packages: ['@mastra/core@1.71.0', '@ai-sdk/openai@4.0.118', 'zod@4.1.12'],
    },
    program: 'node/mastra.mjs',
    wires: OPENAI_WIRES,
  },
  {
    name: 'openai-agents 0.24.0 (PyPI)',
    packages: { from: 'pypi', packages: ['openai-agents==0.24.0'] },
    program: 'python/openai_agents.py',
    wires: OPENAI_WIRES,
  },
  {
    name: 'pydantic-ai 2.68.0 (PyPI)',
    packages: { from: 'pypi', packages: ['pydantic-ai-slim[openai,anthropic]==2.68.0'] },
    program: 'python/pydantic_ai_agent.py',
    wires: ALL_WIRES,
  },
  {
    name: 'LangChain 1.5.2, LangGraph 1.2.24 (PyPI)',
    packages: {
      from: 'pypi',
      packages: [
        'langchain==1.5.2',
        'langchain-openai==1.7.4',
        'langchain-anthropic==1.7.10',
        'langgraph==1.2.24',
      ],
    },
    program: 'python/langchain_agent.py',
    wires: ALL_WIRES,
  },
  {
    name: 'instructor 1.17.0 (PyPI)',
    packages: { from: 'pypi', packages: ['instructor==1.17.0', 'anthropic'] },
    program: 'python/instructor_client.py',
    wires: ALL_WIRES,
  },
  {
    name: 'LlamaIndex, openai-like 0.8.1 and openai 0.8.3 (PyPI)',
    packages: {
      from: 'pypi',
      packages: ['llama-index-llms-openai-like==0.8.1', 'llama-index-llms-openai==0.8.3'],
    },
    program: 'python/llama_index_agent.py',
    wires: OPENAI_WIRES,
  },
  {
    name: 'LiteLLM SDK 1.110.2 (PyPI)',
    packages: { from: 'pypi', packages: ['litellm==1.110.2', 'tenacity==9.1.2'] },
    program: 'python/litellm_sdk.py',
    wires: ALL_WIRES,
  },
  {
    name: 'aider 0.86.2 (PyPI)',
    packages: { from: 'pypi', packages: ['aider-chat==0.86.2'] },
    program: 'python/aider_coder.py',
    wires: ['chat', 'messages'],
  },
  {
    name: 'LangChain 1.5.14 (npm)',
    packages: {
      from: 'npm',
      packages: ['langchain@1.5.14', '@langchain/openai@1.6.0', '@langchain/anthropic@1.5.11', 'zod@4.1.12'],
    },
    program: 'node/langchain.mjs',
    wires: ALL_WIRES,
  },
  {
    name: 'smolagents 1.26.0 (PyPI)',
    packages: { from: 'pypi', packages: ['smolagents[openai]==1.26.0'] },
    program: 'python/smolagents_model.py',
    wires: ['chat'],
  },
  {
    name: 'Haystack 3.4.1 (PyPI)',
    packages: { from: 'pypi', packages: ['haystack-ai==3.4.1'] },
    program: 'python/haystack_agent.py',
    wires: OPENAI_WIRES,
  },
  {
    name: 'Strands Agents 1.62.0 (PyPI)',
    packages: { from: 'pypi', packages: ['strands-agents[openai,anthropic]==1.62.0'] },
    program: 'python/strands_agent.py',
    wires: ALL_WIRES,
  },
  {
    name: 'Agno 3.1.10 (PyPI)',
    packages: { from: 'pypi', packages: ['agno==3.1.10', 'openai', 'anthropic'] },
    program: 'python/agno_agent.py',
    wires: ALL_WIRES,
  },
  {
    name: 'AutoGen 0.7.5 (PyPI)',
    packages: {
      from: 'pypi',
      packages: ['autogen-ext[openai]==0.7.5', 'autogen-agentchat==0.7.5', 'anthropic==0.60.0'],
    },
    program: 'python/autogen_agent.py',
    wires: ['chat', 'messages'],
  },
  {
    name: 'Semantic Kernel 1.45.0 (PyPI)',
    packages: { from: 'pypi', packages: ['semantic-kernel==1.45.0'] },
    program: 'python/semantic_kernel_agent.py',
    wires: ['chat'],
    tool: 'Almanac-look_up',
  },
  {
    name: 'CrewAI 1.15.30 (PyPI)',
    packages: { from: 'pypi', packages: ['crewai[anthropic]==1.15.30'] },
    program: 'python/crewai_llm.py',
    wires: ALL_WIRES,
  },
  {
    name: 'Google ADK 2.13.0 (PyPI)',
    packages: { from: 'pypi', packages: ['google-adk==2.13.0', 'litellm==1.110.2'] },
    program: 'python/google_adk_agent.py',
    wires: ['chat', 'messages'],
  },
];

export const PROGRAM_AGENTS: readonly Agent[] = FRAMEWORKS.map((framework) => ({
  ...framework,
  cut: 'while-it-waits',
  toolCall: () => ({ name: framework.tool ?? 'look_up', arguments: { topic: 'tides' } }),
  run: (plan, folder) => runFramework(framework, plan, folder),
}));

async function runFramework(
  { packages, program }: Framework,
  plan: AgentPlan,
  folder: string,
): Promise<ShownBy> {
  // Node looks for packages beside the program.
  const copied = mkdtempSync(packages.from === 'npm' ? join(folder, 'run-') : join(tmpdir(), 'agent-'));
  try {
    const [language = '', file = ''] = program.split('/');
    cpSync(join(import.meta.dirname, language), copied, { recursive: true });
    const runtime = packages.from === 'npm' ? process.execPath : join(folder, 'bin', 'python');
    const ran = await runProgram([runtime, join(copied, file), JSON.stringify(plan)], {
      // Frameworks look for keys in the environment even where they were given one; home is where they keep state.
      env: { HOME: copied, OPENAI_API_KEY: plan.key, ANTHROPIC_API_KEY: plan.key },
      cwd: copied,
      withinMs: WITHIN_MS,
    });
    return shownSchema.parse(JSON.parse(lastLine(ran.stdout) ?? fail(lastWords(ran))));
  } finally {
    rmSync(copied, { recursive: true, force: true });
  }
}

function lastLine(text: string): string | undefined {
  return text
    .trim()
    .split('\n')
    .findLast((line) => line.startsWith('{'));
}

function fail(why: string): never {
  throw new Error(why);
}
