/** The examples for Next.js, Express and FastAPI, as an app that has copied them runs them. */
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { isTerminal } from '../../contracts/fold-events.ts';
import { BROWSER_WITHIN_MS, type Browser, openBrowser } from '../harness/browser.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { buildNextExample, nextEnvironment } from '../harness/next-example.ts';
import { promptOf } from '../harness/prompt.ts';
import { installPythonPackage, type PythonPackage } from '../harness/python-package.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';
import { startWebServer, type WebServer } from '../harness/web-server.ts';

const PLAN = { tokens: 200, delayMs: 20 };
const EXAMPLES = join(PROJECT_ROOT, 'examples');
const eventSchema = z.object({ seq: z.int(), type: z.string(), text: z.string().optional() });
const runsSchema = z.object({ data: z.array(z.object({ status: z.string(), user: z.string() })) });

let stack: Stack;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), openBrowser()]);
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page?.close();
  page = await browser.context.newPage();
});

const environment = () => ({ UNBROKEN_URL: stack.api.url, UNBROKEN_API_KEY: stack.api.key });

describe('the Next.js app', () => {
  let app: Awaited<ReturnType<typeof buildNextExample>>;
  let server: WebServer;
  beforeAll(async () => {
    app = await buildNextExample();
    const next = join('node_modules', 'next', 'dist', 'bin', 'next');
    server = await startWebServer({
      cwd: app.folder,
      env: { ...(nextEnvironment() as Record<string, string>), ...environment() },
      command: (port) => [process.execPath, next, 'start', '--hostname', '127.0.0.1', '--port', `${port}`],
    });
  });
  afterAll(async () => {
    await server?.kill();
    app?.remove();
  });

  const answers = () => page.getByRole('region', { name: 'Answer' });
  const shown = async () => (await answers().count()) && (await answers().locator('.message').textContent());
  const isWritten = () => page.getByRole('button', { name: 'Send' }).waitFor();

  async function ask(plan = PLAN) {
    const input = promptOf(plan);
    await page.getByLabel('Message').fill(input);
    await page.getByRole('button', { name: 'Send' }).click();
    const { text } = await stack.sim.text(input);
    await waitFor('the first words', async () => ((await shown()) || '').length > 40);
    return { input, text };
  }

  test('a reload in the middle of an answer continues it: the whole text, exactly once', async () => {
    const requested: { url: string; authorization: string | undefined }[] = [];
    page.on('request', (request) => {
      requested.push({ url: request.url(), authorization: request.headers()['authorization'] });
    });
    await page.goto(server.url);
    const { input, text } = await ask();
    const address = page.url();
    await page.reload();
    expect(page.url()).toBe(address);
    const resumed = await waitFor('the text again', async () => (await shown()) || undefined);
    expect(resumed.length).toBeLessThan(text.length);
    await isWritten();
    expect(await shown()).toBe(text);
    expect(await answers().count()).toBe(1);
    const questions = page.getByRole('region', { name: 'Question' });
    expect(await questions.locator('.message').allTextContents()).toEqual([input]);
    // The key stays on the server, and the browser talks to no other server.
    expect(requested.filter(({ url }) => !url.startsWith(server.url))).toEqual([]);
    expect(requested.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });

  test('an answer survives the death of the Next.js server', async () => {
    await page.goto(server.url);
    const { text } = await ask();
    await server.kill();
    await server.restart();
    await page.reload();
    await waitFor('the whole text', async () => ((await shown()) || '').length >= text.length);
    await isWritten();
    expect(await shown()).toBe(text);
    expect(await answers().count()).toBe(1);
  });

  test('stops an answer on the server', async () => {
    await page.goto(server.url);
    const { text } = await ask({ tokens: 2_000, delayMs: 20 });
    await page.getByRole('button', { name: 'Stop' }).click();
    await isWritten();
    expect(text.startsWith((await shown()) || 'nothing')).toBe(true);
    await waitFor('the cancellation', async () => {
      // The signed-in user of the app, not that of the key.
      const response = await stack.api.send('/v1/generations?limit=1&user=demo-user');
      const [newest] = runsSchema.parse(await response.json()).data;
      return newest?.status === 'cancelled';
    });
  });
});

describe.each(['express', 'fastapi'] as const)('the %s app', (name) => {
  let python: PythonPackage | undefined;
  let folder: string;
  let server: WebServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unbroken-integration-'));
    for (const part of [name, 'page.html'])
      cpSync(join(EXAMPLES, part), join(folder, part), { recursive: true });
    if (name === 'express') linkPackages(folder);
    else python = await installPythonPackage(...requirements());
    const program = python?.python;
    const serve = ['-m', 'uvicorn', 'app:app', '--port'];
    server = await startWebServer({
      cwd: join(folder, name),
      env: environment(),
      command: (port) =>
        program === undefined ? [process.execPath, 'server.ts'] : [program, ...serve, `${port}`],
    });
  });
  afterAll(async () => {
    await server?.kill();
    python?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function submit(question: string, key = randomUUID()): Promise<string> {
    const response = await fetch(`${server.url}/answers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ question }),
    });
    expect(response.status).toBe(201);
    return z.object({ id: z.string() }).parse(await response.json()).id;
  }

  test('an EventSource reads the whole text, exactly once, although the app is killed meanwhile', async () => {
    const question = promptOf(PLAN);
    const id = await submit(question);
    const events: z.output<typeof eventSchema>[] = [];
    const source = new EventSource(`${server.url}/answers/${id}/events`);
    const ended = new Promise<void>((resolve) => {
      source.onmessage = ({ data }) => {
        const event = eventSchema.parse(JSON.parse(data));
        events.push(event);
        if (isTerminal(event as Parameters<typeof isTerminal>[0])) resolve();
      };
    });
    try {
      await waitFor('the first events', () => events.length > 20);
      await server.kill();
      const before = events.length;
      await server.restart();
      await ended;
      expect(events.length).toBeGreaterThan(before);
    } finally {
      source.close();
    }
    const { text } = await stack.sim.text(question);
    const deltas = events.filter(({ type }) => type === 'text-delta');
    expect(deltas.map((delta) => delta.text).join('')).toBe(text);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((before, after) => before - after));
  });

  test('a question that is sent twice with one key is one answer', async () => {
    const [question, key] = [promptOf({ tokens: 5 }), randomUUID()];
    expect(await submit(question, key)).toBe(await submit(question, key));
  });

  test('its page continues after a reload', async () => {
    const before = browser.complaints.length;
    const question = promptOf(PLAN);
    const { text } = await stack.sim.text(question);
    const answer = async () => (await page.locator('#answer').textContent()) ?? '';
    await page.goto(server.url);
    await page.getByLabel('question').fill(question);
    await page.getByRole('button', { name: 'Ask' }).click();
    await waitFor('the first words', async () => (await answer()).length > 40);
    await page.reload();
    await waitFor('the whole text', async () => (await answer()).length >= text.length);
    expect(await answer()).toBe(text);
    expect(browser.complaints.slice(before)).toEqual([]);
  });
});

const requirements = () =>
  readFileSync(join(EXAMPLES, 'fastapi', 'requirements.txt'), 'utf8')
    .trim()
    .split('\n');

/** As `npm install` would: Express from here, and our client from its sources. */
function linkPackages(folder: string): void {
  const modules = join(folder, 'node_modules');
  const client = join(modules, '@unbroken', 'client');
  mkdirSync(client, { recursive: true });
  symlinkSync(join(PROJECT_ROOT, 'node_modules', 'express'), join(modules, 'express'));
  const source = JSON.stringify(join(PROJECT_ROOT, 'clients', 'typescript', 'index.ts'));
  writeFileSync(join(client, 'index.js'), `export * from ${source};\n`);
  writeFileSync(join(client, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
}
