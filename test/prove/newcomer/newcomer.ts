/**
 * The first minutes of a newcomer on this machine: a fresh clone with empty caches, `npm start`, two questions, the
 * page, and the three packages in folders elsewhere, each following a generation through a kill of the API. Prints the
 * seconds of each step. Programs of the system (Git, Python, Redis, Chromium) stay as they are.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { openBrowser } from '../../harness/browser.ts';
import { compareReading, faultsOf } from '../../harness/check-events.ts';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { promptOf } from '../../harness/prompt.ts';
import { connectSimulator } from '../../harness/simulator.ts';
import {
  FOLLOW_JS,
  FOLLOW_PYTHON,
  installFromTarball,
  installWheel,
  type Program,
  runLines,
} from './packages.ts';
import { type Product, startProduct } from './product.ts';

const run = promisify(execFile);
/** What issue trackers call "ready": the first answer is there and the addresses are printed. */
const TARGETS_SECONDS = { bare: 90, warm: 5 };
const EVENTS_BEFORE_THE_KILL = 30;
const QUESTIONS = ['What is a write-ahead log?', 'And why does its order matter?'] as const;

/** Resolves with whether each step worked. The seconds are printed next to the target and do not decide. */
export async function proveNewcomer(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-newcomer-'));
  const newcomer = new Newcomer(folder);
  try {
    await newcomer.live();
    return newcomer.print();
  } finally {
    await newcomer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Newcomer {
  readonly #folder: string;
  readonly #clone: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #rows: { step: string; seconds: number; failure: string }[] = [];
  #product: Product | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#clone = join(folder, 'clone');
    this.#env = emptyCaches(folder);
  }

  async live(): Promise<void> {
    await this.#step('clone', async () => {
      await run('git', ['clone', '--quiet', PROJECT_ROOT, this.#clone]);
    });
    await this.#step(`npm start with empty caches (target ${TARGETS_SECONDS.bare})`, () => this.#start());
    await this.#step('two turns by the official OpenAI client', () => this.#askTwice());
    await this.#step('the page in Chromium, by the printed link', () => this.#openPage());
    await this.#step('@unbroken/client elsewhere, through a kill', () => this.#followByClient());
    await this.#step('unbroken for Python elsewhere, through a kill', () => this.#followByPython());
    await this.#step('Ctrl-C', () => this.stop());
    await this.#step(`npm start again (target ${TARGETS_SECONDS.warm})`, () => this.#start());
    await this.#step('Ctrl-C', () => this.stop());
    await this.#step('unbroken in an empty folder, through a kill', () => this.#followByItself());
  }

  async stop(): Promise<void> {
    const product = this.#product;
    this.#product = undefined;
    await product?.stop();
  }

  print(): boolean {
    const failed = this.#rows.filter(({ failure }) => failure !== '');
    console.log(`newcomer: steps ${this.#rows.length} failed ${failed.length}`);
    return failed.length === 0;
  }

  /** A step that fails is printed; the next ones are tried all the same. */
  async #step(step: string, work: () => Promise<void>): Promise<void> {
    const begunAt = performance.now();
    const failure = await work().then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const seconds = (performance.now() - begunAt) / 1_000;
    this.#rows.push({ step, seconds, failure });
    console.log(
      `${seconds.toFixed(1).padStart(7)} s  ${step}${failure === '' ? '' : `: FAILED: ${failure}`}`,
    );
  }

  async #start(): Promise<void> {
    const env = { ...this.#env, UNBROKEN_PORT: String(await findFreePort()) };
    this.#product = await startProduct({ command: 'npm', args: ['start'], cwd: this.#clone, env });
  }

  #running(): Product {
    if (this.#product === undefined) throw new Error('the product does not run');
    return this.#product;
  }

  async #askTwice(): Promise<void> {
    const { url, key } = this.#running();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
    const messages: OpenAI.ChatCompletionMessageParam[] = [];
    for (const content of QUESTIONS) {
      messages.push({ role: 'user', content });
      const { choices } = await client.chat.completions.create({ model: 'default', messages });
      const answer = choices[0]?.message.content ?? '';
      if (answer.length < 40) throw new Error(`the answer to "${content}" is "${answer}"`);
      messages.push({ role: 'assistant', content: answer });
    }
  }

  async #openPage(): Promise<void> {
    const browser = await openBrowser();
    try {
      const page = await browser.context.newPage();
      await page.goto(this.#running().link);
      for (const [index, question] of QUESTIONS.entries()) {
        await page.getByLabel('Message').fill(question);
        await page.getByRole('button', { name: 'Send' }).click();
        await page.getByRole('link', { name: 'Timeline' }).nth(index).waitFor();
      }
      if (browser.complaints.length > 0) throw new Error(browser.complaints.join('\n'));
    } finally {
      await browser.close();
    }
  }

  async #followByClient(): Promise<void> {
    const folder = this.#emptyFolder('javascript');
    await installFromTarball({ folder, clone: this.#clone, env: this.#env }, 'clients/typescript');
    await this.#follow(this.#running(), folder, ['node', '--input-type=module', '--eval', FOLLOW_JS, '--']);
  }

  async #followByPython(): Promise<void> {
    const folder = this.#emptyFolder('python');
    const python = await installWheel({ folder, clone: this.#clone, env: this.#env });
    await this.#follow(this.#running(), folder, [python, '-I', '-c', FOLLOW_PYTHON]);
  }

  async #followByItself(): Promise<void> {
    const folder = this.#emptyFolder('itself');
    await installFromTarball({ folder, clone: this.#clone, env: this.#env }, '.');
    const env = { ...this.#env, UNBROKEN_PORT: String(await findFreePort()) };
    this.#product = await startProduct({ command: 'npx', args: ['unbroken', 'start'], cwd: folder, env });
    const cli = ['npx', 'unbroken', 'generate', '--json', '--max-output-tokens', '400'];
    const { url, key } = this.#product;
    await this.#follow(this.#product, folder, [...cli, '--url', url, '--key', key], []);
    await this.stop();
  }

  #emptyFolder(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    return folder;
  }

  /** Runs a program that prints events as JSON lines, and kills the API in the middle of the answer. */
  async #follow(
    product: Product,
    cwd: string,
    [command = '', ...args]: readonly string[],
    connection: readonly string[] = [product.url, product.key],
  ): Promise<void> {
    const input = promptOf({ tokens: 300, delayMs: 15 });
    const program: Program = { command, args: [...args, ...connection, input], cwd, env: this.#env };
    const lines = await runLines(program, (count) => {
      if (count === EVENTS_BEFORE_THE_KILL) product.killApi();
    });
    const events = lines.map((line): GenerationEvent => JSON.parse(line));
    const { text } = await connectSimulator(product.simulatorUrl).text(input);
    const { lost, duplicated } = compareReading(events, text);
    const faults = faultsOf(events);
    if (lost + duplicated + faults.length > 0 || lines.length <= EVENTS_BEFORE_THE_KILL) {
      throw new Error(`events ${lines.length}, lost ${lost}, duplicated ${duplicated}; ${faults.join('; ')}`);
    }
  }
}

/** The environment of a machine that has never seen the product: no npm or pip cache and none of our programs. */
function emptyCaches(folder: string): NodeJS.ProcessEnv {
  const cacheFolder = (name: string) => join(folder, 'caches', name);
  const {
    OPENAI_API_KEY: _openai,
    ANTHROPIC_API_KEY: _anthropic,
    UNBROKEN_SIMULATOR_URL: _simulator,
    ...inherited
  } = process.env;
  const own = Object.entries(inherited).filter(([name]) => !/^(npm_|UNBROKEN_)/.test(name));
  return {
    ...Object.fromEntries(own),
    npm_config_cache: cacheFolder('npm'),
    PIP_CACHE_DIR: cacheFolder('pip'),
    UNBROKEN_CACHE_DIR: cacheFolder('unbroken'),
  };
}
