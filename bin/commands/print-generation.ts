/** Prints a generation as it runs: text on stdout, all else on stderr; with `--json` each event as a line on stdout. */
import type { GenerationEvent } from '../../clients/typescript/index.ts';
import { formatUsd } from '../../contracts/money.ts';
import type { JsonFlag } from './print-json.ts';
import { withoutControls } from './render-markdown.ts';

/** @returns the exit code. */
export async function printGeneration(
  events: AsyncIterable<GenerationEvent>,
  { json }: JsonFlag,
): Promise<number> {
  const { isTTY } = process.stdout;
  const printer = new GenerationPrinter((text) => process.stdout.write(isTTY ? withoutControls(text) : text));
  let exitCode = 0;
  for await (const event of events) {
    if (json === true) process.stdout.write(`${JSON.stringify(event)}\n`);
    exitCode = printer.print(event, { isTextShown: json !== true });
  }
  return exitCode;
}

/** Ctrl-C ends only the viewer. The generation continues, because nothing but its workflow decides its end. */
export function leaveRunningOnInterrupt(generationId: string): () => void {
  const leave = () => {
    console.error(`\nThe generation continues. Follow it: npx unbroken follow ${generationId}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  return () => process.off('SIGINT', leave);
}

export class GenerationPrinter {
  readonly #startedAtMs = performance.now();
  readonly #write: (text: string) => void;
  #id = '<id>';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** @returns the exit code, were this the last event. */
  print(event: GenerationEvent, { isTextShown }: { readonly isTextShown: boolean }): number {
    if (event.type === 'generation-start') this.#id = event.generationId;
    if (isTextShown) this.#printText(event);
    if ('usage' in event) this.#printStatus(event);
    if (event.type === 'generation-error') {
      console.error(`${event.error.code}: ${event.error.message} (${event.error.doc})`);
      return 1;
    }
    if (event.type === 'generation-end') this.#printEnding(event);
    return event.type === 'generation-cancel' ? 1 : 0;
  }

  #printEnding({ finishReason, refusal }: Extract<GenerationEvent, { type: 'generation-end' }>): void {
    if (finishReason === 'length')
      console.error(`The length limit cut the answer off. Continue it: npx unbroken continue ${this.#id}`);
    else if (finishReason === 'refusal')
      console.error(`The model declined: ${withoutControls(refusal?.text ?? 'it did not say why')}`);
    else if (finishReason === 'content-filter') console.error('A filter of the provider ended the answer.');
    else if (finishReason === 'pause')
      console.error('The provider paused the answer; send the conversation with it to continue.');
  }

  #printText(event: GenerationEvent): void {
    if (event.type === 'text-delta') this.#write(event.text);
    else if (event.type === 'text-reset')
      this.#write(`\n\n--- void: the text above; the answer starts again (${event.reason}) ---\n\n`);
    else if (event.type === 'prompt-compress')
      console.error(`[context compressed: ${event.tokensBefore} to ${event.tokensAfter} tokens]`);
    else if (event.type === 'compaction') console.error(`[older turns summarised by ${event.generationId}]`);
    else if (event.type === 'provider-error')
      console.error(`\n[attempt ${event.attempt} on ${event.provider}/${event.model}: ${event.code}]`);
  }

  /** On a terminal the progress is the window's title, which can be redrawn without touching the text. */
  #printStatus(event: Extract<GenerationEvent, { usage: unknown }>): void {
    const elapsed = `${((performance.now() - this.#startedAtMs) / 1_000).toFixed(1)} s`;
    const model = 'model' in event ? `${event.provider}/${event.model} · ` : '';
    const attempt = 'attempt' in event ? event.attempt : 'attempts' in event ? event.attempts : 1;
    const amounts = `${event.usage.outputTokens} tokens · ${formatUsd(event.costMicroUsd)}`;
    const status = `${model}${amounts} · ${elapsed} · attempt ${attempt}`;
    if (event.type !== 'usage-update') console.error(`\n[${event.type} · ${status}]`);
    else if (process.stderr.isTTY) process.stderr.write(`\u001b]0;${status}\u0007`);
  }
}
