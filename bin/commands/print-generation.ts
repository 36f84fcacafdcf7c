import type { GenerationEvent } from '../../clients/typescript/index.ts';
import { formatUsd } from '../../contracts/money.ts';

/**
 * Text goes to stdout, all else to stderr. On a terminal the progress is the window's title, which can be redrawn
 * without touching the text; the status line comes once, at the end. Returns the exit code.
 */
export async function printGeneration(
  events: AsyncIterable<GenerationEvent>,
  json: boolean,
): Promise<number> {
  const startedAt = performance.now();
  let id = '<id>';
  for await (const event of events) {
    if (event.type === 'generation-start') id = event.generationId;
    if (json) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
    } else if (event.type === 'text-delta') {
      process.stdout.write(event.text);
    } else if (event.type === 'text-reset') {
      process.stdout.write(`\n\n--- void: the text above; it begins again (${event.reason}) ---\n\n`);
    } else if (event.type === 'prompt-compress') {
      console.error(`[context compressed: ${event.tokensBefore} to ${event.tokensAfter} tokens]`);
    } else if (event.type === 'provider-error') {
      console.error(`\n[attempt ${event.attempt} on ${event.provider}/${event.model}: ${event.code}]`);
    }
    if ('usage' in event) {
      const elapsed = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
      const model = 'model' in event ? `${event.provider}/${event.model} · ` : '';
      const attempt = 'attempt' in event ? event.attempt : 'attempts' in event ? event.attempts : 1;
      const status = `${model}${event.usage.outputTokens} tokens · ${formatUsd(event.costMicroUsd)} · ${elapsed} · attempt ${attempt}`;
      if (event.type !== 'usage-update') console.error(`\n[${event.type} · ${status}]`);
      else if (process.stderr.isTTY) process.stderr.write(`\u001b]0;${status}\u0007`);
    }
    if (event.type === 'generation-error') {
      console.error(`${event.error.code}: ${event.error.message} (${event.error.doc})`);
      return 1;
    }
    if (event.type === 'generation-cancel') return 1;
    if (event.type === 'generation-end' && event.finishReason === 'length') {
      console.error(`It was cut by its length. Go on: unbroken continue ${id}`);
    }
  }
  return 0;
}
