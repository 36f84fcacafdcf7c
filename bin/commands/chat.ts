/**
 * `unbroken chat`: a conversation in the terminal. Each turn is a separate generation with the whole conversation as
 * its input, so an answer survives the end of this program. Markdown is rendered on a terminal only.
 */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { isTerminal, type UnbrokenClient } from '../../clients/typescript/index.ts';
import type { Message } from '../../contracts/generation.ts';
import { type ConnectionFlags, connect, reportFailure, withConnection } from './connection.ts';
import { type RequestFlags, requestOf, withRequestOptions } from './generate.ts';
import { GenerationPrinter, leaveRunningOnInterrupt } from './print-generation.ts';
import { MarkdownRenderer, withoutControls } from './render-markdown.ts';

interface ChatFlags extends ConnectionFlags, RequestFlags {
  readonly plain?: boolean;
}

const PROMPT = 'you> ';
const HELP = 'Ctrl-D or /exit ends the chat, /new begins a new conversation.';

export function defineChat(command: Command): void {
  withRequestOptions(withConnection(command))
    .option('--user <user>', 'whose budget pays; needs the scope any-user')
    .option('--plain', 'print Markdown as it is')
    .action(async (flags: ChatFlags) => {
      const chat = new Chat(connect(flags), flags);
      if (process.stdin.isTTY) console.error(HELP);
      for await (const line of process.stdin.isTTY
        ? promptedLines()
        : createInterface({ input: process.stdin })) {
        const text = line.trim();
        if (text === '/exit') break;
        if (text === '/new') chat.forget();
        else if (text !== '') process.exitCode = await chat.say(text);
      }
    });
}

class Chat {
  readonly #client: UnbrokenClient;
  readonly #flags: ChatFlags;
  #messages: Message[] = [];

  constructor(client: UnbrokenClient, flags: ChatFlags) {
    this.#client = client;
    this.#flags = flags;
  }

  forget(): void {
    this.#messages = [];
  }

  /** One turn. A turn that failed is not part of the conversation. @returns its exit code. */
  async say(text: string): Promise<number> {
    const messages: Message[] = [...this.#messages, { role: 'user', content: text }];
    try {
      const { exitCode, answer } = await this.#answer(messages);
      if (exitCode === 0 && answer !== '')
        this.#messages = [...messages, { role: 'assistant', content: answer }];
      return exitCode;
    } catch (error) {
      return reportFailure(error);
    }
  }

  async #answer(messages: Message[]): Promise<{ exitCode: number; answer: string }> {
    const generation = await this.#client.generate(requestOf(messages, this.#flags));
    const restoreInterrupt = leaveRunningOnInterrupt(generation.id);
    const { write, flush } = writerOf(this.#flags);
    const printer = new GenerationPrinter(write);
    const isJson = this.#flags.json === true;
    let exitCode = 0;
    let answer = '';
    try {
      for await (const event of generation) {
        if (event.type === 'text-delta') answer += event.text;
        if (event.type === 'text-reset') answer = '';
        if (event.type === 'text-reset' || isTerminal(event)) flush();
        if (isTerminal(event) && !isJson) process.stdout.write('\n');
        if (isJson) process.stdout.write(`${JSON.stringify(event)}\n`);
        exitCode = printer.print(event, { isTextShown: !isJson });
      }
    } finally {
      restoreInterrupt();
    }
    return { exitCode, answer };
  }
}

interface TextWriter {
  readonly write: (text: string) => void;
  /** Writes what still waits for its end. */
  readonly flush: () => void;
}

function writerOf({ plain }: ChatFlags): TextWriter {
  const { isTTY } = process.stdout;
  if (!isTTY || plain === true) {
    const write = (text: string) => void process.stdout.write(isTTY ? withoutControls(text) : text);
    return { write, flush: () => undefined };
  }
  const renderer = new MarkdownRenderer();
  return {
    write: (text) => void process.stdout.write(renderer.write(text)),
    flush: () => void process.stdout.write(renderer.end()),
  };
}

/**
 * Lines typed at a prompt. Between two prompts the terminal is in its usual mode, so that Ctrl-C is a signal, and what
 * is typed too early does not mix with the answer's redraws.
 */
async function* promptedLines(): AsyncGenerator<string> {
  let history: string[] = [];
  for (;;) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout, history });
    terminal.on('history', (lines: string[]) => {
      history = [...lines];
    });
    const line = await new Promise<string | undefined>((resolve) => {
      terminal.once('close', () => resolve(undefined));
      terminal.once('SIGINT', () => resolve(undefined));
      terminal.question(PROMPT, resolve);
    });
    terminal.close();
    if (line === undefined) return;
    yield line;
  }
}
