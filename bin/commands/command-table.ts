/**
 * Every command of `unbroken`. Only the module of the command that runs is loaded: the others are a name and a
 * description, so that `--help` needs neither zod nor the client.
 */
import type { Command } from 'commander';

interface CommandEntry {
  readonly name: string;
  readonly description: string;
  /** Adds arguments, options, subcommands and the action. @param buildWhole builds the whole command line. */
  readonly define: (command: Command, buildWhole: () => Promise<Command>) => Promise<void>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    description: 'start everything here: services, API, worker and page; Ctrl-C stops it',
    define: async (command) => (await import('./start.ts')).defineStart(command),
  },
  {
    name: 'chat',
    description: 'talk with a model; after Ctrl-C, a running answer continues on the server',
    define: async (command) => (await import('./chat.ts')).defineChat(command),
  },
  {
    name: 'generate',
    description: 'generate and print the text as it comes',
    define: async (command) => (await import('./generate.ts')).defineGenerate(command),
  },
  {
    name: 'follow',
    description: 'follow a generation from where you left it',
    define: async (command) => (await import('./follow.ts')).defineFollow(command),
  },
  {
    name: 'cancel',
    description: 'cancel a generation',
    define: async (command) => (await import('./follow.ts')).defineCancel(command),
  },
  {
    name: 'continue',
    description: 'continue an answer that the length limit cut off',
    define: async (command) => (await import('./follow.ts')).defineContinue(command),
  },
  {
    name: 'feedback',
    description: 'rate an answer, from -1 to 1',
    define: async (command) => (await import('./runs.ts')).defineFeedback(command),
  },
  {
    name: 'complaints',
    description: 'cached answers that readers said did not fit, and how to let them be given again',
    define: async (command) => (await import('./complaints.ts')).defineComplaints(command),
  },
  {
    name: 'open',
    description: 'print a link that signs in to the page, once, and open it in a browser',
    define: async (command) => (await import('./open.ts')).defineOpen(command),
  },
  {
    name: 'runs',
    description: 'list the newest generations',
    define: async (command) => (await import('./runs.ts')).defineRuns(command),
  },
  {
    name: 'usage',
    description: 'spend and tokens by day, user, team, key, model or prompt version; needs an admin key',
    define: async (command) => (await import('./usage.ts')).defineUsage(command),
  },
  {
    name: 'explain',
    description: 'show which models a prompt would go to, in which order, why, and at what cost',
    define: async (command) => (await import('./generate.ts')).defineExplain(command),
  },
  {
    name: 'providers',
    description: 'show circuits and speed of the models that were called lately, and the state of keys',
    define: async (command) => (await import('./providers.ts')).defineProviders(command),
  },
  {
    name: 'models',
    description: 'list the models that the configuration knows: window, price, capabilities',
    define: async (command) => (await import('./models.ts')).defineModels(command),
  },
  {
    name: 'prompts',
    description: 'named prompts: versions, labels, and what each costs',
    define: async (command) => (await import('./prompts.ts')).definePrompts(command),
  },
  {
    name: 'jobs',
    description: 'run pipelines: follow, approve, rerun from a step, compare',
    define: async (command) => (await import('./jobs.ts')).defineJobs(command),
  },
  {
    name: 'pipelines',
    description: 'stored pipelines: versions and labels',
    define: async (command) => (await import('./jobs.ts')).definePipelines(command),
  },
  {
    name: 'schedules',
    description: 'generations and jobs by the clock: list, add, pause, trigger, backfill',
    define: async (command) => (await import('./schedules.ts')).defineSchedules(command),
  },
  {
    name: 'batches',
    description: 'many requests in one file: submit, progress, answers, cancel',
    define: async (command) => (await import('./batches.ts')).defineBatches(command),
  },
  {
    name: 'erase',
    description: 'erase a generation, a job or all that a user has sent, with a receipt',
    define: async (command) => (await import('./erase.ts')).defineErase(command),
  },
  {
    name: 'budgets',
    description: 'limits, balances and entries of the budgets',
    define: async (command) => (await import('./budgets.ts')).defineBudgets(command),
  },
  {
    name: 'keys',
    description: 'create, list, rotate and revoke API keys; needs an admin key',
    define: async (command) => (await import('./keys.ts')).defineKeys(command),
  },
  {
    name: 'deployments',
    description: 'worker versions: show or set which one takes new generations, in Temporal',
    define: async (command) => (await import('./deployments.ts')).defineDeployments(command),
  },
  {
    name: 'doctor',
    description: 'check every service, version and setting, and print the fix; exit code 1 on an error',
    define: async (command) => (await import('./doctor.ts')).defineDoctor(command),
  },
  {
    name: 'init',
    description: 'write a commented config for the API keys in the environment',
    define: async (command) => (await import('./init.ts')).defineInit(command),
  },
  {
    name: 'completion',
    description: 'print a completion script for bash, zsh or fish',
    define: async (command, buildWhole) =>
      (await import('./completion.ts')).defineCompletion(command, buildWhole),
  },
];
