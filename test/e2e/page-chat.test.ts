import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textDeltas } from '../../contracts/fold-events.ts';
import { barriersOf } from '../harness/barriers.ts';
import { BROWSER_WITHIN_MS, type Browser, openBrowser } from '../harness/browser.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { XSS_PAYLOADS } from '../harness/xss-payloads.ts';

const VIEWS = ['Chat', 'Runs', 'Usage', 'Prompts', 'Cache', 'Keys', 'Budgets', 'Providers'];
const TENANT = `chat-${randomUUID()}`;
/** Evaluates to the elements of an answer that could run or load something. */
const FORBIDDEN_ELEMENTS = `
  [...document.querySelectorAll('section[aria-label=Answer] *')].flatMap((element) => {
    const tags = /^(script|iframe|object|embed|style|link|form|img|svg|math|base|meta|video|audio)$/i;
    const bad = [...element.attributes].filter(
      ({ name, value }) =>
        /^(on|src|formaction|xlink)/i.test(name) || (name === 'href' && !/^(https?:|mailto:)/i.test(value)),
    );
    return tags.test(element.tagName) || bad.length > 0 ? [element.outerHTML.slice(0, 200)] : [];
  })`;
let stack: Stack;
let api: UnbrokenApi;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['clients/web/build.ts'], { cwd: PROJECT_ROOT });
  [stack, browser] = await Promise.all([startStack(), openBrowser()]);
  const owner = { tenant: TENANT, user: 'dev' };
  const key = await stack.addKey({ ...owner, scopes: ['generate', 'any-user', 'admin'] });
  api = connectApi(stack.api.url, key);
  page = await browser.context.newPage();
  await page.goto(await newLink());
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await stack.sim.clearFaults();
  await stack.sim.forget();
});

async function newLink(): Promise<string> {
  const response = await api.send('/v1/session/links', { method: 'POST', body: '{}' });
  const { path } = (await response.json()) as { path: string };
  return `${api.url}${path}`;
}

async function newChat(): Promise<void> {
  await page.goto(`${api.url}/#/chat`);
  await page.getByRole('heading', { name: 'Nothing is lost' }).waitFor();
}

async function ask(input: string): Promise<void> {
  await page.getByLabel('Message').fill(input);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** The foot of the reply, which appears at its end. */
async function footOf(turn: number): Promise<string> {
  const foot = page.getByRole('article', { name: `Reply ${turn}` }).locator('.facts');
  await foot.getByRole('link', { name: 'Timeline' }).waitFor();
  return (await foot.textContent()) ?? '';
}

async function barriers(where: string): Promise<string[]> {
  return (await barriersOf(page)).map((barrier) => `${where}: ${barrier}`);
}

describe('a link', () => {
  test('signs in, once, and leaves no trace in addresses, scripts or logs', async () => {
    const link = await newLink();
    const code = link.split('/').at(-1) ?? '';
    const requested: string[] = [];
    const visitor = await browser.context.newPage();
    visitor.on('request', (request) => requested.push(request.url(), request.headers()['referer'] ?? ''));
    await visitor.goto(link);
    await visitor.getByRole('navigation', { name: 'Main' }).waitFor();
    expect(visitor.url()).toBe(`${api.url}/#/chat`);
    expect(requested.filter((url) => url.includes(code) || url.includes(api.key))).toEqual([]);
    expect(stack.apis.map((seat) => seat.log()).join()).not.toContain(code);
    const stored = await visitor.evaluate<string>('document.cookie + JSON.stringify({ ...localStorage })');
    expect(stored).not.toMatch(/us_|ub_/);
    const [cookie] = await browser.context.cookies(`${api.url}/v1/session`);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/v1' });
    await visitor.reload();
    await visitor.getByRole('navigation', { name: 'Main' }).waitFor();
    await visitor.close();
  });

  test('that was used says so, and how to get another; signing out ends the session', async () => {
    const link = await newLink();
    await page.goto(link);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    const [cookie] = await browser.context.cookies(`${api.url}/v1/session`);
    expect(cookie).toBeUndefined();
    await page.goto('about:blank');
    await page.goto(link);
    await page.getByRole('alert').getByText('This link was used before, or has expired').waitFor();
    expect(await page.getByRole('alert').first().textContent()).toContain('npx unbroken open');
    await page.goto(await newLink());
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
  });
});

describe('the chat', () => {
  test('holds a conversation, regenerates an answer, and keeps both', async () => {
    await newChat();
    const first = promptOf({ tokens: 12, delayMs: 1 });
    const second = promptOf({ tokens: 15, delayMs: 1 });
    await ask(first);
    expect(await footOf(1)).toMatch(/simulated\/sim-large.*12 out.*\$0\.\d+/);
    await ask(second);
    await footOf(2);
    const reply = page.getByRole('article', { name: 'Reply 2' });
    await reply.getByRole('button', { name: 'Regenerate' }).click();
    await reply.getByText('2 of 2').waitFor();
    await footOf(2);
    await reply.getByRole('button', { name: 'Previous answer' }).click();
    await reply.getByText('1 of 2').waitFor();
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(3);
    // The second question is sent with the first one and its answer, and so is the repeat.
    expect(calls[1]?.inputTokens).toBeGreaterThan((calls[0]?.inputTokens ?? 0) + 12);
    expect(calls[2]?.inputTokens).toBe(calls[1]?.inputTokens);
    await page.reload();
    await reply.getByText('1 of 2').waitFor();
    expect(await stack.sim.calls()).toHaveLength(3);
  });

  test('closed before the API has answered, sends the same turn again, and it starts one generation', async () => {
    await newChat();
    const isReceived = Promise.withResolvers<void>();
    await page.route('**/v1/generations', async (route) => {
      await route.fetch();
      isReceived.resolve();
      await route.abort();
    });
    await ask(promptOf({ tokens: 20, delayMs: 1 }));
    await isReceived.promise;
    await page.unrouteAll();
    await page.reload();
    expect(await footOf(1)).toContain('20 out');
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('shows reasoning and tool calls, and takes the results', async () => {
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByRole('button', { name: 'Insert an example' }).click();
    await ask('How is the weather in Paris? [[sim reasoning=20 tool=get_weather say=5]]');
    await footOf(1);
    const reply = page.getByRole('article', { name: 'Reply 1' });
    await reply.getByText('Reasoning', { exact: true }).click();
    await reply.getByText('The user wants to know').waitFor();
    await reply.getByText('Calls get_weather').click();
    await reply.getByText('"city": "Paris"').waitFor();
    await page.getByLabel('Result of get_weather').fill('It rains.');
    await page.getByRole('button', { name: 'Send' }).click();
    await footOf(2);
    expect(await page.getByRole('article', { name: 'Reply 2' }).textContent()).toContain('It rains');
  });

  test('continues an answer that the length limit has cut', async () => {
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Max. output tokens').fill('40');
    await ask(promptOf({ tokens: 60, delayMs: 1 }));
    expect(await footOf(1)).toContain('cut at the length limit');
    const answer = page.getByRole('region', { name: 'Answer' });
    const cut = (await answer.textContent()) ?? '';
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('2 of 2').waitFor();
    await footOf(1);
    const whole = (await answer.textContent()) ?? '';
    expect(whole.length).toBeGreaterThan(cut.length);
    expect(whole.replace(/\s/g, '').startsWith(cut.replace(/\s/g, ''))).toBe(true);
  });

  test('a request that is refused returns to the composer, with the reason', async () => {
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Tools, as a JSON list').fill('[{');
    await ask('Is this sent?');
    await page.getByRole('alert').getByText('Tools:').waitFor();
    expect(await page.getByLabel('Message').inputValue()).toBe('Is this sent?');
    await page.getByLabel('Tools, as a JSON list').fill('[{"name":"no spaces allowed","parameters":{}}]');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').getByText('tools').waitFor();
    expect(await page.getByLabel('Message').inputValue()).toBe('Is this sent?');
  });
});

describe('Markdown', () => {
  /** Answers the next submit with a text of the test's own, in pieces as a model writes it. */
  async function answerWith(text: string): Promise<void> {
    const id = `gen_${randomUUID()}`;
    const base = { provider: 'p', model: 'm' };
    const usage = {
      inputTokens: 1,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 1,
      reasoningTokens: 0,
      estimated: false,
    };
    const bodies = [
      { type: 'generation-start', generationId: id, route: 'default', user: 'dev' },
      ...textDeltas(text, 7),
      {
        type: 'generation-end',
        ...base,
        finishReason: 'stop',
        attempts: 1,
        cached: false,
        usage,
        costMicroUsd: 0,
      },
    ];
    const events = bodies.map((body, seq) => ({ ...body, seq, at: Date.now() }) as GenerationEvent);
    const sse = events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    const fulfil = (route: Route, contentType: string, body: string, status = 200) =>
      route.fulfill({ status, contentType, body });
    await page.route('**/v1/generations', (route) =>
      fulfil(route, 'application/json', JSON.stringify({ id, status: 'running', events: '' }), 201),
    );
    await page.route(`**/v1/generations/${id}/events*`, (route) => fulfil(route, 'text/event-stream', sse));
    await newChat();
    await ask('Answer with this.');
    await footOf(1);
    await page.unrouteAll();
  }

  test('is rendered: headings, lists, tables, code with a copy button, links that say nothing of us', async () => {
    await answerWith(
      '# Title\n\n1. one\n2. **two**\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```ts\nconst a = 1;\n```\n\n' +
        'See [docs](https://example.com/x) and ![a picture](https://example.com/p.png).\n',
    );
    const answer = page.getByRole('region', { name: 'Answer' });
    await answer.getByRole('heading', { name: 'Title' }).waitFor();
    expect(await answer.getByRole('listitem').count()).toBe(2);
    expect(await answer.getByRole('cell').allTextContents()).toEqual(['1', '2']);
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await answer.getByRole('button', { name: 'Copy code' }).click();
    await answer.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('const a = 1;\n');
    for (const name of ['docs', 'a picture']) {
      const link = answer.getByRole('link', { name });
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
      expect(await link.getAttribute('target')).toBe('_blank');
    }
    expect(await answer.getByRole('img').count()).toBe(0);
  });

  test('runs nothing of what attackers put into it, and loads nothing', async () => {
    const requested: string[] = [];
    const dialogs: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const before = browser.complaints.length;
    await answerWith(XSS_PAYLOADS.join('\n\n'));
    const answer = page.getByRole('region', { name: 'Answer' });
    expect((await answer.textContent())?.length).toBeGreaterThan(1_000);
    for (const link of await answer.locator('a').all()) await link.hover({ force: true });
    const found = await page.evaluate<string[]>(FORBIDDEN_ELEMENTS);
    expect(found).toEqual([]);
    expect(dialogs).toEqual([]);
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined');
    expect(requested.filter((url) => !url.startsWith(api.url))).toEqual([]);
    expect(browser.complaints.slice(before)).toEqual([]);
  });
});

describe('the timeline of a run', () => {
  async function openTimeline(): Promise<string> {
    await page.getByRole('link', { name: 'Timeline' }).last().click();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    const steps = await page.locator('.step .name').allTextContents();
    return steps.join('\n');
  }

  test('shows attempts, the wait, withdrawn text, the cost and the settlement', async () => {
    await stack.sim.fault({ kind: 'in-band-error', afterTokens: 14 });
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByRole('button', { name: 'Insert an example' }).click();
    await ask('How is the weather in Rome? [[sim tool=get_weather say=10 delay_ms=1]]');
    await footOf(1);
    const steps = await openTimeline();
    expect(steps).toMatch(/Queue.*tokens of the budget reserved/);
    expect(steps).toMatch(/Attempt 1: output.*simulated\/sim-large.*withdrawn/);
    expect(steps).toMatch(/Wait for the retry|Fallback/);
    expect(steps).toMatch(/Attempt 2: first token/);
    expect(steps).toMatch(/Complete.*tool-calls, \$0\.\d+/);
    expect((await page.locator('.withdrawn del').textContent())?.length).toBeGreaterThan(10);
    await page.getByRole('row').filter({ hasText: 'Charged' }).first().waitFor();
    const id = page.url().split('/').at(-1) ?? '';
    const link = await page.getByRole('link', { name: 'Temporal' }).getAttribute('href');
    expect(link).toContain(`/workflows/${TENANT}%2F${id}`);
    expect(await barriers('run')).toEqual([]);
  });

  test('shows a running answer live, and an answer from the cache', async () => {
    const input = promptOf({ tokens: 150, delayMs: 20 });
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Allow a cached answer').check();
    await ask(input);
    await page.getByRole('link', { name: 'Timeline' }).click();
    await page.getByText('so far').waitFor();
    await page.getByText('The answer is complete.').waitFor();
    await waitFor('the answer to be stored', async () => {
      const { body: copy } = await api.create({ input, cache: 'read' });
      const events = await startReading(api, copy.id).whole;
      return events.some(({ type }) => type === 'cache-hit');
    });
    await newChat();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Allow a cached answer').check();
    await ask(input);
    expect(await footOf(1)).toContain('from the cache');
    expect(await openTimeline()).toMatch(/Answer from the cache.*similarity 1\.00/);
  });
});

describe('every view', () => {
  test.each(['Light', 'Dark'])('is without a barrier that axe knows, also on a phone (%s)', async (theme) => {
    await page.goto(`${api.url}/#/chat`);
    await page.getByRole('radio', { name: theme }).check({ force: true });
    const problems: string[] = [];
    await newChat();
    await ask('Answer with headings, a list, a table and code.');
    await footOf(1);
    const chat = new URL(page.url()).hash;
    const run = (await page.getByRole('link', { name: 'Timeline' }).getAttribute('href')) ?? '';
    const places = [...VIEWS.map((view) => `#/${view.toLowerCase()}`), chat, run];
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      for (const view of places) {
        await page.goto(`${api.url}/${view}`);
        await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
        await page.getByText(/^Loading /).waitFor({ state: 'detached' });
        problems.push(...(await barriers(`${view} at ${width}`)));
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (wide > width) problems.push(`${view} at ${width}: ${wide} wide`);
      }
    }
    expect(problems).toEqual([]);
  });

  test('keeps the theme that was chosen, and opens its menu by keyboard', async () => {
    await page.goto(`${api.url}/#/chat`);
    await page.getByRole('radio', { name: 'Dark' }).check({ force: true });
    await page.reload();
    await page.getByRole('radio', { name: 'Dark' }).waitFor({ state: 'attached' });
    const scheme = 'getComputedStyle(document.documentElement).colorScheme';
    expect(await page.evaluate(scheme)).toBe('dark');
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByRole('button', { name: 'Menu' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Budgets', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Budgets', level: 1 }).waitFor();
    expect(await page.getByRole('link', { name: 'Budgets', exact: true }).isVisible()).toBe(false);
  });
});
