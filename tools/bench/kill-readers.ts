/** What is paid for an answer whose reading process is killed: by Unbroken, and by a durable step of Restate. */
import type { Stack } from '../../test/harness/stack.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import type { RestatePeer } from './restate.ts';
import { streamChat } from './stream-chat.ts';
import { generate } from './stream-generation.ts';

const ANSWER = { tokens: 300, delayMs: 20, firstMs: 0 };
const KILL_AFTER_TOKENS = 100;

export async function killReaders(stack: Stack, peer: RestatePeer): Promise<void> {
  const { sim } = stack;
  const untilMade = (tokens: number) =>
    waitFor(`${tokens} tokens`, async () =>
      (await sim.calls()).some(({ outputTokensGenerated }) => outputTokensGenerated >= tokens),
    );
  const paid = async (name: string, reader: string) => {
    const calls = await sim.calls();
    const tokens = calls.reduce((sum, { outputTokensGenerated }) => sum + outputTokensGenerated, 0);
    console.log(`  ${name}: ${calls.length} calls, ${tokens} tokens paid; its reader ${reader}`);
  };
  console.log(
    `\nThe process that reads an answer of ${ANSWER.tokens} tokens is killed after ${KILL_AFTER_TOKENS}`,
  );

  await sim.forget();
  const ours = outcomeOf(generate(stack, ANSWER));
  await untilMade(KILL_AFTER_TOKENS);
  await stack.workers[0]?.kill();
  await stack.workers[0]?.restart();
  await paid('Unbroken', await ours);

  await sim.forget();
  const theirs = outcomeOf(streamChat(peer.url, 'none', ANSWER));
  await untilMade(KILL_AFTER_TOKENS);
  await peer.restartService();
  await untilMade(ANSWER.tokens);
  await paid('Restate', await theirs);
}

async function outcomeOf(stream: Promise<unknown>): Promise<string> {
  try {
    await stream;
    return 'had the whole answer';
  } catch {
    return 'lost its connection';
  }
}
