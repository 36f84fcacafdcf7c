/** Real agents and frameworks, unmodified: each is asked, and what it shows is compared with what the upstream said. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AskedCall } from '../../harness/simulator.ts';
import type { Stack } from '../../harness/stack.ts';
import {
  AGENT_BEHAVIOURS,
  type Agent,
  type AgentBehaviour,
  type AgentPlan,
  type AgentWire,
  type Questions,
  type Shown,
} from './agent.ts';
import { type BreakingWire, startBreakingWire } from './breaking-wire.ts';
import { install } from './install.ts';

/** '' for what passed, null for what a client does not have, else what failed. */
type AgentRow = Readonly<Record<AgentBehaviour, string | null>>;

/** The simulated model behind each format. */
const MODELS: Readonly<Record<AgentWire, string>> = {
  chat: 'simulated-chat/sim-large',
  responses: 'simulated/sim-large',
  messages: 'simulated-messages/sim-large',
};

/** @returns a row for each of its formats. */
export async function tryAgent(agent: Agent, stack: Stack): Promise<Map<string, AgentRow>> {
  const rows = new Map<string, AgentRow>();
  const folder = await install(agent.packages).catch((error: unknown) => new Error(reasonOf(error)));
  for (const wire of agent.wires) {
    const name = `${agent.name}, ${wire}`;
    rows.set(
      name,
      folder instanceof Error ? failed(folder.message) : await tryWire(agent, { wire, folder, stack }),
    );
  }
  return rows;
}

async function tryWire(
  agent: Agent,
  { wire, folder, stack }: { readonly wire: AgentWire; readonly folder: string; readonly stack: Stack },
): Promise<AgentRow> {
  const files = mkdtempSync(join(tmpdir(), 'unbroken-agents-'));
  const secret = `secret-${randomUUID()}`;
  const secretFile = join(files, 'almanac.txt');
  writeFileSync(secretFile, `${secret}\n`);
  const cutting = await startBreakingWire(Number(new URL(stack.api.url).port));
  try {
    const { name, arguments: args } = agent.toolCall({ secretFile });
    const questions = questionsFor(name, args);
    cutting.breakOnce(markOf(questions.dropped), agent.cut);
    const plan: AgentPlan = {
      url: stack.api.url,
      cutUrl: cutting.url,
      key: await stack.addKey({ user: `agent-${randomUUID().slice(0, 8)}` }),
      wire,
      model: agent.model ?? MODELS[wire],
      questions,
      secret,
      secretFile,
    };
    const shown = await agent.run(plan, folder);
    return await judgeAll(plan, shown, { stack, cutting });
  } catch (error) {
    return failed(reasonOf(error));
  } finally {
    cutting.close();
    rmSync(files, { recursive: true, force: true });
  }
}

/** The first word of each question is its mark. */
function questionsFor(tool: string, args: object): Questions {
  const ask = (directive: string) =>
    `q-${randomUUID().slice(0, 13)} begins this riddle. Say something kind. [[sim ${directive}]]`;
  const encoded = Buffer.from(JSON.stringify(args)).toString('base64url');
  return {
    plain: ask('tokens=40 delay_ms=2'),
    streaming: ask('tokens=60 delay_ms=20'),
    tool: ask(`tool=${tool} args=${encoded} tokens=30 delay_ms=2`),
    first: ask('tokens=30 delay_ms=2'),
    second: ask('tokens=30 delay_ms=2'),
    dropped: ask('tokens=60 delay_ms=20'),
  };
}

function markOf(question: string): string {
  return question.split(' ')[0] ?? '';
}

async function judgeAll(
  { questions, secret }: AgentPlan,
  shown: Partial<Record<AgentBehaviour, Shown>>,
  { stack, cutting }: { readonly stack: Stack; readonly cutting: BreakingWire },
): Promise<AgentRow> {
  const row: Record<string, string | null> = {};
  const questionOf: Readonly<Record<AgentBehaviour, string>> = {
    plain: questions.plain,
    streaming: questions.streaming,
    'tool round trip': questions.tool,
    'second turn': questions.second,
    'dropped connection': questions.dropped,
  };
  for (const behaviour of AGENT_BEHAVIOURS) {
    const what = shown[behaviour];
    if (what === undefined) row[behaviour] = null;
    else if ('error' in what) row[behaviour] = what.error;
    else {
      const calls = await stack.sim.asked(markOf(questionOf[behaviour]));
      row[behaviour] =
        judgeAnswer(what.answers.at(-1) ?? '', calls) ||
        judgeBehaviour(behaviour, what, { calls, secret, cutting });
    }
  }
  return row as AgentRow;
}

/** The answer is, to the last character, what the upstream said to the question that has the mark. */
function judgeAnswer(answer: string, calls: readonly AskedCall[]): string {
  if (calls.length === 0) return 'the upstream was never asked';
  const texts = calls.map(({ text }) => text.trim());
  if (texts.includes(answer.trim()) && answer.trim() !== '') return '';
  if (calls.some(({ arguments: args }) => isSameJson(args, answer))) return '';
  return `showed ${JSON.stringify(answer.slice(0, 200))}, the upstream said ${JSON.stringify(texts.at(-1)?.slice(0, 200))}`;
}

function isSameJson(left: string, right: string): boolean {
  try {
    const [a, b] = [JSON.parse(left), JSON.parse(right)] as [object, object];
    return JSON.stringify(a, Object.keys(a).sort()) === JSON.stringify(b, Object.keys(b).sort());
  } catch {
    return false;
  }
}

/** What a behaviour needs besides a right answer. */
function judgeBehaviour(
  behaviour: AgentBehaviour,
  what: Exclude<Shown, { readonly error: string }>,
  seen: { readonly calls: readonly AskedCall[]; readonly secret: string; readonly cutting: BreakingWire },
): string {
  const prompt = seen.calls.at(-1)?.prompt ?? '';
  if (behaviour === 'streaming' && (what.chunks ?? 0) < 3) return `came in ${what.chunks} pieces`;
  if (behaviour === 'tool round trip' && !prompt.includes(seen.secret))
    return 'the result of the tool never arrived';
  if (behaviour === 'dropped connection' && seen.cutting.broken() !== 1)
    return 'its connection was not broken';
  if (behaviour !== 'second turn') return '';
  const [first = ''] = what.answers;
  const isRemembered = first !== '' && prompt.includes(JSON.stringify(first.trim()).slice(1, -1));
  return isRemembered ? '' : 'the first answer is not in the second request';
}

function failed(why: string): AgentRow {
  return Object.fromEntries(AGENT_BEHAVIOURS.map((behaviour) => [behaviour, why])) as AgentRow;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 1_500) : String(error);
}
