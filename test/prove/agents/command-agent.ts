/** An agent that is used on the command line: its program runs in a home folder that is deleted after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent, AgentBehaviour, AgentPlan, Shown, ShownBy } from './agent.ts';
import { lastWords, type Ran, runProgram } from './run-program.ts';

const WITHIN_MS = 120_000;

/** The home folder of one agent, which is deleted after it. */
interface Home {
  readonly folder: string;
  /** Its program, such as node_modules/.bin/codex. */
  readonly program: string;
  readonly plan: AgentPlan;
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran>;
}

type Behaviours = Partial<Record<AgentBehaviour, () => Promise<Shown>>>;

export interface CommandAgent extends Pick<Agent, 'name' | 'wires' | 'packages' | 'toolCall'> {
  readonly program: string;
  behavioursIn(home: Home): Behaviours;
}

export function agentOf({ program, behavioursIn, ...agent }: CommandAgent): Agent {
  return {
    ...agent,
    cut: { afterBytes: 1_500 },
    async run(plan, packagesFolder) {
      const folder = mkdtempSync(join(tmpdir(), 'agent-'));
      const path = join(packagesFolder, program);
      const home: Home = {
        folder,
        program: path,
        plan,
        run: (args, env) =>
          runProgram([path, ...args], { env: { HOME: folder, ...env }, cwd: folder, withinMs: WITHIN_MS }),
      };
      try {
        const shown: ShownBy = {};
        for (const [name, behave] of Object.entries(behavioursIn(home))) {
          shown[name as AgentBehaviour] = await behave().catch((error: unknown) => ({
            error: error instanceof Error ? error.message : String(error),
          }));
        }
        return shown;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

export function jsonLines(ran: Ran): Record<string, unknown>[] {
  return ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function textIn(value: unknown, ...path: readonly string[]): string | undefined {
  let at = value;
  for (const name of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined;
  return typeof at === 'string' ? at : undefined;
}

/** @throws what the program said last, where it has no answer. */
export function answerOr(ran: Ran, answer: string | undefined): string {
  if (answer === undefined || ran.code !== 0) throw new Error(lastWords(ran));
  return answer;
}
