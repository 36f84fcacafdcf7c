/** The CLI against a running stack: a conversation, an answer that outlives its viewer, and what it cost. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    config: {
      prices: {
        'simulated/sim-large': { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 1_000_000 },
      },
    },
  });
});
afterAll(() => stack?.stop());

/** `unbroken chat` with its input on a pipe. */
function startChat(args: readonly string[] = []) {
  const child = spawn(
    process.execPath,
    ['bin/unbroken.js', 'chat', '--model', 'simulated/sim-large', ...args],
    {
      cwd: PROJECT_ROOT,
      env: { ...process.env, UNBROKEN_URL: stack.api.url, UNBROKEN_API_KEY: stack.api.key },
    },
  );
  const output = { out: '', error: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.error += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, output, exited };
}

describe('chat', () => {
  test('each turn sees the turns before it', async () => {
    const { child, output, exited } = startChat(['--json']);
    const first = promptOf({ tokens: 5, delayMs: 1 });
    const second = promptOf({ tokens: 7, delayMs: 1 });
    child.stdin.end(`${first}\n\n${second}\n`);
    expect(await exited).toBe(0);
    const events = output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const starts = events.filter(({ type }) => type === 'generation-start');
    const ends = events.filter(({ type }) => type === 'generation-end');
    expect([starts.length, ends.length]).toEqual([2, 2]);
    // The second turn is charged for both questions and the first answer.
    expect(ends[1].usage.inputTokens).toBeGreaterThan(ends[0].usage.inputTokens + ends[0].usage.outputTokens);
  });

  test('a turn that fails is reported, and the next one is answered', async () => {
    const { child, output, exited } = startChat();
    const refused = promptOf({ tokens: 3 });
    await stack.sim.fault({ match: refused, status: 400 });
    child.stdin.write(`${refused}\n`);
    child.stdin.end(`${promptOf({ tokens: 4, delayMs: 1 })}\n`);
    expect({ code: await exited, out: output.out.trim() === '' }).toEqual({ code: 0, out: false });
    expect(output.error).toContain('provider_bad_request');
  });

  test('Ctrl-C leaves the generation running, and says how to follow it', async () => {
    const { child, output, exited } = startChat();
    const input = promptOf({ tokens: 120, delayMs: 20 });
    child.stdin.write(`${input}\n`);
    await waitFor('the first text', () => output.out.length > 0);
    child.kill('SIGINT');
    expect(await exited).toBe(130);
    const id = /npx unbroken follow (\S+)/.exec(output.error)?.[1] ?? '';
    const followed = await runCli(stack.api, ['follow', id]);
    expect(followed.code).toBe(0);
    expect(followed.out).toBe((await stack.sim.text(input)).text.trim());
    expect(followed.out.startsWith(output.out.trim())).toBe(true);
  });
});

test('usage prints the sums of usage, by model, user and day', async () => {
  const user = `user-${randomUUID()}`;
  const input = promptOf({ tokens: 9, delayMs: 1 });
  const model = 'simulated/sim-large';
  const { out } = await runCli(stack.api, ['generate', input, '--json', '--user', user, '--model', model]);
  const end = out
    .split('\n')
    .map((line) => JSON.parse(line))
    .at(-1);
  const usage = async (by: string) =>
    JSON.parse((await runCli(stack.api, ['usage', '--by', by, '--json'])).out);
  // The settlement follows the last event.
  const rowOf = async () => (await usage('user')).data.find(({ name }: { name: string }) => name === user);
  const row = await waitFor('the settlement', rowOf);
  const tokens = end.usage.inputTokens + end.usage.outputTokens;
  expect(row).toMatchObject({ name: user, generations: 1, tokens, costMicroUsd: end.costMicroUsd });
  const [byModel, byDay] = [await usage('model'), await usage('day')];
  expect(byModel.data.map(({ name }: { name: string }) => name)).toContain(model);
  expect(byDay.total).toEqual(byModel.total);
  const table = await runCli(stack.api, ['usage', '--by', 'user']);
  expect(table.out).toMatch(new RegExp(`${user} +1 +${tokens} +\\$0\\.0000`));
});

test('open prints a link that signs in to the page once, and has no key in it', async () => {
  const { out, error } = await runCli(stack.api, ['open']);
  expect(out).toMatch(new RegExp(`^${stack.api.url}/#/sign-in/us_[\\w-]{43}$`));
  expect(out + error).not.toContain(stack.api.key);
  const headers = { 'content-type': 'application/json', 'x-unbroken-page': '1' };
  const body = JSON.stringify({ code: out.split('/').at(-1) });
  const signIn = () => fetch(`${stack.api.url}/v1/session`, { method: 'POST', headers, body });
  expect((await signIn()).status).toBe(200);
  expect((await signIn()).status).toBe(401);
  const { expiresAt } = JSON.parse((await runCli(stack.api, ['open', '--json'])).out);
  expect(expiresAt).toBeGreaterThan(Date.now());
});
