/** More agents that are used on the command line: Qwen Code, Cline, Continue and pi. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from './agent.ts';
import { agentOf, answerOr, type CommandAgent, jsonLines, textIn } from './command-agent.ts';
import { lastWords, type Ran } from './run-program.ts';

const qwenCode: CommandAgent = {
  name: 'Qwen Code 0.24.4 (npm)',
  packages: { from: 'npm', packages: ['@qwen-code/qwen-code@0.24.4'] },
  wires: ['chat'],
  program: 'node_modules/.bin/qwen',
  toolCall: ({ secretFile }) => ({
    name: 'run_shell_command',
    arguments: { command: `cat ${secretFile}`, is_background: false },
  }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const qwen = async (question: string, args: readonly string[] = [], url = plan.url) => {
      const access = [
        '--auth-type',
        'openai',
        '--openai-api-key',
        plan.key,
        '--openai-base-url',
        `${url}/v1`,
      ];
      const output = ['--approval-mode', 'yolo', '--output-format', 'stream-json'];
      const ran = await home.run([...access, ...output, '--model', plan.model, ...args, question], {});
      const lines = jsonLines(ran);
      return { lines, answer: answerOr(ran, textIn(lines.at(-1), 'result')) };
    };
    const ask = async (...args: Parameters<typeof qwen>) => (await qwen(...args)).answer;
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      streaming: async () => {
        const { lines, answer } = await qwen(questions.streaming, ['--include-partial-messages']);
        const chunks = lines.filter((line) => textIn(line, 'event', 'delta', 'type') === 'text_delta').length;
        return { answers: [answer], chunks };
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

/** It asks no second time where a stream breaks. */
const cline: CommandAgent = {
  name: 'Cline CLI 3.0.65 (npm)',
  packages: { from: 'npm', packages: ['cline@3.0.65'] },
  wires: ['chat'],
  program: 'node_modules/.bin/cline',
  toolCall: ({ secretFile }) => ({ name: 'run_commands', arguments: { commands: [`cat ${secretFile}`] } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const data = ['--data-dir', join(home.folder, 'cline')];
    const ask = async (question: string) => {
      const access = ['-p', 'openai', '-k', plan.key, '-m', plan.model, '-b', `${plan.url}/v1`];
      const signedIn = await home.run(['auth', ...access, ...data], {});
      if (signedIn.code !== 0) throw new Error(lastWords(signedIn));
      const ran = await home.run(['--json', ...data, '-P', 'openai', '-m', plan.model, question], {});
      const result = jsonLines(ran).findLast(({ type }) => type === 'run_result');
      return answerOr(ran, textIn(result, 'text'));
    };
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      'tool round trip': async () => ({ answers: [await ask(questions.tool)] }),
    };
  },
};

/** It asks again where a stream breaks, and shows what came before beside the whole answer. */
const continueCli: CommandAgent = {
  name: 'Continue CLI 1.5.47 (npm)',
  packages: { from: 'npm', packages: ['@continuedev/cli@1.5.47'] },
  wires: ['chat', 'messages'],
  program: 'node_modules/.bin/cn',
  toolCall: ({ secretFile }) => ({ name: 'Bash', arguments: { command: `cat ${secretFile}` } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const config = join(home.folder, 'config.yaml');
    const model = {
      name: plan.model,
      provider: plan.wire === 'messages' ? 'anthropic' : 'openai',
      model: plan.model,
      apiBase: `${plan.url}/v1`,
      apiKey: plan.key,
      roles: ['chat'],
      capabilities: ['tool_use'],
    };
    // JSON is YAML.
    writeFileSync(config, JSON.stringify({ name: 'main', version: '1.0.0', schema: 'v1', models: [model] }));
    const ask = async (question: string, args: readonly string[] = []) => {
      const ran = await home.run(['--print', '--auto', '--config', config, ...args, question], {});
      return answerOr(ran, ran.stdout);
    };
    return {
      plain: async () => ({ answers: [await ask(questions.plain)] }),
      'tool round trip': async () => ({ answers: [await ask(questions.tool)] }),
      'second turn': async () => {
        const first = await ask(questions.first);
        return { answers: [first, await ask(questions.second, ['--resume'])] };
      },
    };
  },
};

const PI_FORMATS = {
  chat: 'openai-completions',
  responses: 'openai-responses',
  messages: 'anthropic-messages',
} as const;

const pi: CommandAgent = {
  name: 'pi 0.73.1 (npm)',
  packages: { from: 'npm', packages: ['@mariozechner/pi-coding-agent@0.73.1'] },
  wires: ['chat', 'responses', 'messages'],
  program: 'node_modules/.bin/pi',
  toolCall: ({ secretFile }) => ({ name: 'read', arguments: { path: secretFile } }),
  behavioursIn(home) {
    const { plan } = home;
    const { questions } = plan;
    const providerAt = (url: string) => ({
      baseUrl: plan.wire === 'messages' ? url : `${url}/v1`,
      api: PI_FORMATS[plan.wire],
      apiKey: plan.key,
      models: [{ id: plan.model }],
    });
    const folder = join(home.folder, '.pi', 'agent');
    mkdirSync(folder, { recursive: true });
    const providers = { unbroken: providerAt(plan.url), cut: providerAt(plan.cutUrl) };
    writeFileSync(join(folder, 'models.json'), JSON.stringify({ providers }));
    const pieces = (ran: Ran) =>
      jsonLines(ran).filter((line) => textIn(line, 'assistantMessageEvent', 'type') === 'text_delta');
    const ask = async (question: string, args: readonly string[] = [], provider = 'unbroken') => {
      const model = ['--provider', provider, '--model', plan.model];
      const ran = await home.run(['--offline', '--print', ...model, ...args, question], {});
      return { ran, answer: answerOr(ran, ran.stdout) };
    };
    return {
      plain: async () => ({ answers: [(await ask(questions.plain)).answer] }),
      streaming: async () => {
        const { ran } = await ask(questions.streaming, ['--mode', 'json']);
        const deltas = pieces(ran).map((line) => textIn(line, 'assistantMessageEvent', 'delta') ?? '');
        return { answers: [deltas.join('')], chunks: deltas.length };
      },
      'tool round trip': async () => ({ answers: [(await ask(questions.tool)).answer] }),
      'second turn': async () => {
        const first = await ask(questions.first);
        return { answers: [first.answer, (await ask(questions.second, ['--continue'])).answer] };
      },
      'dropped connection': async () => ({ answers: [(await ask(questions.dropped, [], 'cut')).answer] }),
    };
  },
};

export const MORE_COMMAND_AGENTS: readonly Agent[] = [qwenCode, cline, continueCli, pi].map(agentOf);
