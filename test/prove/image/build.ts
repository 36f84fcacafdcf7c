/** Runs the steps of a Dockerfile in folders of this machine, one per stage, as `docker build` does in images. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { projectFiles } from '../../house/project-files.ts';
import { readDockerIgnore } from './docker-ignore.ts';
import { parseDockerfile, type Stage, type Step } from './dockerfile.ts';

/** They need the system of the image: its package manager, and its user `node`. */
const OF_THE_SYSTEM = ['apt-get', 'chown'];

export interface BuiltImage {
  /** The working directory of the last stage. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  /** Commands that were left out, because they need the system of the image. */
  readonly skipped: readonly string[];
}

/** @param home an empty folder. @param nodeFolder has the Node of the image. Prints each step. */
export async function buildImage(home: string, nodeFolder: string): Promise<BuiltImage> {
  const stages = parseDockerfile(readFileSync(join(PROJECT_ROOT, 'Dockerfile'), 'utf8'));
  const builder = new ImageBuilder(home, nodeFolder);
  for (const [index, stage] of stages.entries()) await builder.build(stage, stage.name ?? String(index));
  return builder.result();
}

class ImageBuilder {
  readonly #home: string;
  readonly #nodeFolder: string;
  readonly #skipped: string[] = [];
  #stage: Stage | undefined;
  /** The folder that stands for `/` of the stage. */
  #root = '';
  #workdir = '/';
  #variables: Record<string, string> = {};

  constructor(home: string, nodeFolder: string) {
    this.#home = home;
    this.#nodeFolder = nodeFolder;
  }

  async build(stage: Stage, name: string): Promise<void> {
    this.#stage = stage;
    this.#root = join(this.#home, name);
    this.#workdir = '/';
    this.#variables = {};
    mkdirSync(this.#root, { recursive: true });
    for (const step of stage.steps) await this.#take(step);
  }

  result(): BuiltImage {
    if (this.#stage === undefined) throw new Error('the Dockerfile has no stage');
    const { command, healthCheck } = this.#stage;
    const environment = Object.entries(this.#variables).map(([name, value]) => [
      name,
      value.startsWith('/') ? join(this.#root, value) : value,
    ]);
    return {
      folder: join(this.#root, this.#workdir),
      environment: Object.fromEntries(environment),
      command,
      healthCheck,
      skipped: this.#skipped,
    };
  }

  async #take(step: Step): Promise<void> {
    if (step.kind === 'env') Object.assign(this.#variables, step.variables);
    else if (step.kind === 'run') await this.#run(step.command);
    else if (step.kind === 'copy') this.#copy(step);
    else {
      this.#workdir = step.folder;
      mkdirSync(join(this.#root, step.folder), { recursive: true });
    }
  }

  async #run(whole: string): Promise<void> {
    const commands = whole.split('&&').map((command) => command.trim());
    const isOfSystem = (command: string) => OF_THE_SYSTEM.some((program) => command.startsWith(program));
    this.#skipped.push(...commands.filter(isOfSystem));
    // What cleans up after the package manager names folders of the image's system.
    const left = commands.some((command) => command.startsWith('apt-get'))
      ? []
      : commands.filter((c) => !isOfSystem(c));
    if (left.length === 0) return;
    console.log(`RUN ${left.join(' && ')}`);
    const child = spawn('bash', ['-euc', left.join(' && ')], {
      cwd: join(this.#root, this.#workdir),
      env: {
        PATH: `${this.#nodeFolder}:${process.env['PATH']}`,
        HOME: process.env['HOME'],
        npm_config_prefer_offline: 'true',
        npm_config_loglevel: 'error',
        ...this.#variables,
      },
      stdio: 'inherit',
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`RUN ended with ${code}: ${left.join(' && ')}`);
  }

  #copy({ from, sources, target }: Step & { kind: 'copy' }): void {
    console.log(`COPY ${from === undefined ? '' : `--from=${from} `}${sources.join(' ')} ${target}`);
    const goal = join(this.#root, target.startsWith('/') ? '' : this.#workdir, target);
    if (from === undefined) {
      const wanted = (path: string) => sources.some((source) => source === '.' || source === path);
      for (const path of contextFiles().filter(wanted)) cpSync(join(PROJECT_ROOT, path), join(goal, path));
      return;
    }
    for (const source of sources) {
      const path = join(this.#home, from, source);
      if (!existsSync(path)) throw new Error(`COPY --from=${from} ${source}: there is no such file`);
      // Docker copies what a folder holds, and a file under its name.
      const isFolder = statSync(path).isDirectory();
      cpSync(path, isFolder ? goal : join(goal, basename(path)), { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** What a fresh clone would send: the files that git has, but for those that .dockerignore leaves out. */
function contextFiles(): string[] {
  const isSent = readDockerIgnore(readFileSync(join(PROJECT_ROOT, '.dockerignore'), 'utf8'));
  return projectFiles().filter(isSent);
}
