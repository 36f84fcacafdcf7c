/** Agents that are used on the command line, such as Claude Code, Codex and Cline. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from './agent.ts';
import { agentOf, answerOr, type CommandAgent, jsonLines, textIn } from './command-agent.ts';
import { MORE_COMMAND_AGENTS } from './more-command-agents.ts';

const claudeCode: CommandAgent = {
  name: 'Claude Code 2.1.332 (npm)',
  packages: { from: 'npm', packages: ['@anthropic-ai/claude-code@2.1.332'] },
  wires: ['messages'],
  program: 'node_modules/.bin/claude',
  toolCall: ({ secretFile }) => ({ name: 'Read', arguments: { file_path: secretFile } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const claude = (question: string, args: readonly string[] = [], url = plan.url) =>
      home.run(
        ['--print', question, '--model', plan.model, '--allowedTools', 'Read', '--output-format', ...args],
        {
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_AUTH_TOKEN: plan.key,
          ANTHROPIC_SMALL_FAST_MODEL: plan.model,
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          CLAUDE_CONFIG_DIR: join(home.folder, 'claude'),
        },
      );
    const ask = async (question: string, args: readonly string[] = [], url = plan.url) => {
      const ran = await claude(question, ['json', ...args], url);
      const result = jsonLines(ran).at(-1);
      return answerOr(ran, result?.['is_error'] === true ? undefined : textIn(result, 'result'));
    };
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      streaming: async () => {
        const flags = ['stream-json', '--verbose', '--include-partial-messages'];
        const ran = await claude(questions.streaming, flags);
        const lines = jsonLines(ran);
        const chunks = lines.filter((line) => textIn(line, 'event', 'delta', 'type') === 'text_delta').length;
        return { answers: [answerOr(ran, textIn(lines.at(-1), 'result'))], chunks };
      },
      'tool round trip': async () => ({ answers: [await ask(questions.tool)] }),
      'second turn': async () => {
        const first = await ask(questions.first);
        return { answers: [first, await ask(questions.second, ['--continue'])] };
      },
      'dropped connection': async () => ({ answers: [await ask(questions.dropped, [], plan.cutUrl)] }),
    };
  },
};

const codex: CommandAgent = {
  name: 'Codex 0.171.0 (npm)',
  packages: { from: 'npm', packages: ['@openai/codex@0.171.0'] },
  wires: ['responses'],
  program: 'node_modules/.bin/codex',
  toolCall: ({ secretFile }) => ({ name: 'exec_command', arguments: { cmd: `cat ${secretFile}` } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const ask = async (question: string, before: readonly string[] = [], url = plan.url) => {
      const settings = [
        `model="${plan.model}"`,
        'model_provider="unbroken"',
        'model_providers.unbroken.name="Unbroken"',
        `model_providers.unbroken.base_url="${url}/v1"`,
        'model_providers.unbroken.env_key="UNBROKEN_API_KEY"',
        'model_providers.unbroken.wire_api="responses"',
      ];
      const flags = [...settings.flatMap((setting) => ['-c', setting]), '--skip-git-repo-check', '--json'];
      mkdirSync(join(home.folder, 'codex'), { recursive: true });
      const ran = await home.run(['exec', ...before, ...flags, question], {
        CODEX_HOME: join(home.folder, 'codex'),
        UNBROKEN_API_KEY: plan.key,
      });
      const messages = jsonLines(ran).filter((line) => textIn(line, 'item', 'type') === 'agent_message');
      return answerOr(ran, textIn(messages.at(-1), 'item', 'text'));
    };
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      'tool round trip': async () => ({ answers: [await ask(questions.tool)] }),
      'second turn': async () => {
        const first = await ask(questions.first);
        return { answers: [first, await ask(questions.second, ['resume', '--last'])] };
      },
      'dropped connection': async () => ({ answers: [await ask(questions.dropped, [], plan.cutUrl)] }),
    };
  },
};

const OPENCODE_PACKAGES = {
  chat: '@ai-sdk/openai-compatible',
  responses: '@ai-sdk/openai',
  messages: '@ai-sdk/anthropic',
} as const;

const opencode: CommandAgent = {
  name: 'opencode 1.18.33 (npm)',
  packages: { from: 'npm', packages: ['opencode-ai@1.18.33'] },
  wires: ['chat', 'responses', 'messages'],
  program: 'node_modules/.bin/opencode',
  toolCall: ({ secretFile }) => ({ name: 'read', arguments: { filePath: secretFile } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const providerAt = (url: string) => ({
      npm: OPENCODE_PACKAGES[plan.wire],
      name: 'Unbroken',
      options: { baseURL: `${url}/v1`, apiKey: plan.key },
      models: {
        [plan.model]: { name: plan.model, tool_call: true, limit: { context: 200_000, output: 8_000 } },
      },
    });
    writeFileSync(
      join(home.folder, 'opencode.json'),
      JSON.stringify({
        autoupdate: false,
        share: 'disabled',
        permission: { '*': 'allow' },
        small_model: `unbroken/${plan.model}`,
        provider: { unbroken: providerAt(plan.url), cut: providerAt(plan.cutUrl) },
      }),
    );
    const ask = async (question: string, args: readonly string[] = [], provider = 'unbroken') => {
      const model = `${provider}/${plan.model}`;
      const ran = await home.run(['run', '--format', 'json', '--model', model, ...args, question], {
        XDG_DATA_HOME: join(home.folder, 'data'),
        XDG_CONFIG_HOME: join(home.folder, 'config'),
        XDG_STATE_HOME: join(home.folder, 'state'),
        XDG_CACHE_HOME: join(home.folder, 'cache'),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
      });
      const texts = jsonLines(ran).filter(({ type }) => type === 'text');
      return answerOr(ran, textIn(texts.at(-1), 'part', 'text'));
    };
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      'tool round trip': async () => ({ answers: [await ask(questions.tool)] }),
      'second turn': async () => {
        const first = await ask(questions.first);
        return { answers: [first, await ask(questions.second, ['--continue'])] };
      },
      'dropped connection': async () => ({ answers: [await ask(questions.dropped, [], 'cut')] }),
    };
  },
};

const llm: CommandAgent = {
  name: 'llm 0.36 (PyPI)',
  packages: { from: 'pypi', packages: ['llm==0.36'] },
  wires: ['chat'],
  program: 'bin/llm',
  toolCall: () => ({ name: 'look_up', arguments: { topic: 'tides' } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const models = { unbroken: plan.url, cut: plan.cutUrl };
    writeFileSync(
      join(home.folder, 'extra-openai-models.yaml'),
      // JSON is YAML.
      JSON.stringify(
        Object.entries(models).map(([id, url]) => ({
          model_id: id,
          model_name: plan.model,
          api_base: `${url}/v1`,
          api_key_name: 'unbroken',
          supports_tools: true,
        })),
      ),
    );
    writeFileSync(join(home.folder, 'keys.json'), JSON.stringify({ unbroken: plan.key }));
    const tool = `def look_up(topic: str) -> str:\n    "Looks a topic up."\n    return ${JSON.stringify(plan.secret)}\n`;
    const ask = async (args: readonly string[]) => {
      const ran = await home.run(args, { LLM_USER_PATH: home.folder });
      return { answers: [answerOr(ran, ran.stdout)] };
    };
    return {
      plain: () => ask(['-m', 'unbroken', '--no-stream', questions.plain]),
      streaming: async () => ({ ...(await ask(['-m', 'unbroken', questions.streaming])), chunks: Infinity }),
      'tool round trip': () => ask(['-m', 'unbroken', '--functions', tool, questions.tool]),
      'second turn': async () => {
        const first = await ask(['-m', 'unbroken', questions.first]);
        const second = await ask(['-c', questions.second]);
        return { answers: [...first.answers, ...second.answers] };
      },
      'dropped connection': () => ask(['-m', 'cut', '--no-stream', questions.dropped]),
    };
  },
};

export const COMMAND_AGENTS: readonly Agent[] = [
  agentOf(claudeCode),
  // The default route: its first model speaks another format.
  { ...agentOf(claudeCode), name: `${claudeCode.name}, model "unbroken"`, model: 'unbroken' },
  agentOf(codex),
  agentOf(opencode),
  { ...agentOf(llm), cut: 'while-it-waits' },
  ...MORE_COMMAND_AGENTS,
];
