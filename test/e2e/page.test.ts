import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { barriersOf } from '../harness/barriers.ts';
import { BROWSER_WITHIN_MS, type Browser, openBrowser } from '../harness/browser.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PLAN = { tokens: 300, delayMs: 10 };
const TENANT = `page-${randomUUID()}`;
let stack: Stack;
let api: Seat;
/** Of a tenant of this file's own: its list of runs shows nothing of other suites. */
let own: UnbrokenApi;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await buildPage();
  [stack, browser] = await Promise.all([startStack(), openBrowser()]);
  const [first] = stack.apis;
  if (first === undefined) throw new Error('the stack is empty');
  api = first;
  const owner = { tenant: TENANT, user: 'dev' };
  own = connectApi(
    stack.api.url,
    await stack.addKey({ ...owner, scopes: ['generate', 'any-user', 'admin'] }),
  );
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page?.close();
  page = await browser.context.newPage();
  await stack.sim.forget();
});

async function signIn(key = own.key): Promise<void> {
  await page.goto(stack.api.url);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Submits a prompt and resolves when its text has begun to come in. */
async function begin(plan = PLAN): Promise<{ text: string; tokens: number }> {
  await signIn();
  const input = promptOf(plan);
  await page.getByLabel('Message').fill(input);
  await page.getByRole('button', { name: 'Send' }).click();
  await textOf(100);
  return stack.sim.text(input);
}

/** The text that the page shows, once it has so many characters. */
function textOf(chars: number): Promise<string> {
  return waitFor(`${chars} characters on the page`, async () => {
    const text = (await page.getByRole('region', { name: 'Answer' }).textContent()) ?? '';
    return text.length >= chars && text;
  });
}

async function whole(): Promise<string> {
  await page.getByText('The answer is complete.').waitFor();
  return inWords((await page.getByRole('region', { name: 'Answer' }).textContent()) ?? '');
}

/** Without white space, which Markdown arranges. The text of these answers has no other Markdown in it. */
function inWords(text: string): string {
  return text.replace(/\s+/g, '');
}

/** The id of the generation that answered. */
async function answeredBy(): Promise<string> {
  const link = await page.getByRole('link', { name: 'Timeline' }).getAttribute('href');
  return link?.split('/').at(-1) ?? '';
}

function thread(): Promise<string | null> {
  return page.getByRole('img', { name: 'none missing' }).getAttribute('aria-label');
}

describe('the page', () => {
  test('shows every token of the answer, and what it took', async () => {
    const { text, tokens } = await begin();
    expect(await whole()).toBe(inWords(text));
    const facts = await page.locator('.facts').textContent();
    expect(facts).toContain('simulated/sim-large');
    expect(facts).toContain(`${tokens} out`);
    expect(browser.complaints).toEqual([]);
  });

  test('reloaded in mid-stream, continues with the same generation', async () => {
    const { text } = await begin({ tokens: 300, delayMs: 30 });
    await page.reload();
    expect((await textOf(100)).length).toBeLessThan(text.length);
    expect(await whole()).toBe(inWords(text));
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('continues when the API is killed and started again', async () => {
    const { text } = await begin();
    await api.kill();
    await page.getByText(/Connection lost after event \d+/).waitFor();
    await api.restart();
    expect(await whole()).toBe(inWords(text));
    expect(await thread()).toMatch(/none missing; the connection broke after \d+/);
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('cuts its own connection, and resumes at the event where it stopped', async () => {
    const { text } = await begin({ tokens: 400, delayMs: 30 });
    await page.getByRole('button', { name: 'Cut the connection' }).click();
    const sentence = await page.getByText(/Cut after event \d+/).textContent();
    const cutAfter = Number(/\d+/.exec(sentence ?? '')?.[0]);
    const kept = await textOf(100);
    const { body } = await own.send('/v1/generations').then(async (response) => ({
      body: (await response.json()) as { data: { id: string }[] },
    }));
    const [run] = body.data;
    await waitFor('the generation to continue without the page', async () => {
      const view = await own.view(run?.id ?? '');
      return view.body.lastSeq > cutAfter + 20;
    });
    expect(await textOf(100)).toBe(kept);
    await page.getByRole('button', { name: 'Resume' }).click();
    await waitFor('more text', async () => (await textOf(100)).length > kept.length);
    expect(await whole()).toBe(inWords(text));
    expect(await thread()).toContain(`the connection broke after ${cutAfter}`);
  });

  test('a connection that was cut resumes by itself', async () => {
    const { text } = await begin({ tokens: 300, delayMs: 30 });
    await page.getByRole('button', { name: 'Cut the connection' }).click();
    await page.getByText(/Cut after event \d+/).waitFor();
    await page.getByText('Receiving text.').waitFor();
    expect(await whole()).toBe(inWords(text));
  });

  test('cancels, and says what was billed', async () => {
    const { text } = await begin({ tokens: 1_500, delayMs: 10 });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The generation was cancelled.').waitFor();
    expect(await page.locator('.facts').textContent()).toMatch(/Cancelled.*\$[\d.]+/);
    const shown = inWords((await page.getByRole('region', { name: 'Answer' }).textContent()) ?? '-');
    expect(inWords(text).startsWith(shown)).toBe(true);
    expect(shown.length).toBeLessThan(inWords(text).length);
  });

  test('lists the runs, each with its model, tokens, cost and a link to its workflow', async () => {
    const { tokens } = await begin({ tokens: 120, delayMs: 1 });
    await whole();
    const id = await answeredBy();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    const row = page.getByRole('row').filter({ has: page.getByTitle(id) });
    await row.getByText('completed').waitFor();
    const cells = await row.textContent();
    expect(cells).toContain('simulated/sim-large');
    expect(cells).toContain(`+ ${tokens}`);
    expect(cells).toContain('$0.00');
    const link = await row.getByRole('link', { name: 'Temporal' }).getAttribute('href');
    expect(link).toBe(`${stack.env['TEMPORAL_UI_URL']}/namespaces/default/workflows/${TENANT}%2F${id}`);
    await row.getByRole('link', { name: 'gen_' }).click();
    await page.getByText('The answer is complete.').waitFor();
  });
});

describe('a user who cannot see or use a mouse', () => {
  test('hears how the generation stands, but not every token', async () => {
    await signIn();
    await page.getByLabel('Message').fill(promptOf(PLAN));
    await page.evaluate(`
      window.spoken = [];
      new MutationObserver(() => {
        for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
          const text = region.textContent;
          if (text !== '' && text !== window.spoken.at(-1)) window.spoken.push(text);
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    `);
    await page.getByRole('button', { name: 'Send' }).click();
    await whole();
    const spoken = await page.evaluate<string[]>('window.spoken');
    expect(spoken).toEqual(expect.arrayContaining(['Receiving text.', 'The answer is complete.']));
    expect(spoken.length).toBeLessThan(6);
  });

  test('can do all by keyboard', async () => {
    await page.goto(stack.api.url);
    await page.keyboard.press('Tab');
    await page.keyboard.type(own.key);
    await page.keyboard.press('Enter');
    await page.getByLabel('Message').focus();
    await page.keyboard.type(promptOf({ tokens: 1_500, delayMs: 10 }));
    await page.keyboard.press('Control+Enter');
    await textOf(100);
    const focused = () => page.evaluate('document.activeElement.textContent');
    for (let step = 0; step < 3 && (await focused()) !== 'Cancel'; step += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The generation was cancelled.').waitFor();
  });

  test.each(['light', 'dark'] as const)('meets no barrier that axe knows (%s)', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const barriers: string[] = [];
    const look = async (view: string) => {
      barriers.push(...(await barriersOf(page)).map((barrier) => `${view}: ${barrier}`));
    };
    await page.goto(stack.api.url);
    await page.getByLabel('API key').waitFor();
    await look('sign in');
    await begin({ tokens: 300, delayMs: 30 });
    await page.getByRole('button', { name: 'Cut the connection' }).click();
    await page.getByText(/Cut after event/).waitFor();
    await look('cut');
    await whole();
    await look('whole');
    for (const view of ['Runs', 'Providers']) {
      await page.getByRole('link', { name: view, exact: true }).click();
      await page.getByRole('table').first().waitFor();
      await look(view);
    }
    expect(barriers).toEqual([]);
  });
});

describe('the key', () => {
  test('that is not known opens nothing', async () => {
    await signIn('ub_test_unknown_key');
    await page.getByText('Unknown API key.').waitFor();
    await page.getByLabel('API key').waitFor();
  });

  test('is neither in an address nor kept after the tab', async () => {
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await begin({ tokens: 120, delayMs: 1 });
    await whole();
    expect(requested.length).toBeGreaterThan(4);
    expect([...requested, page.url()].filter((url) => url.includes(own.key))).toEqual([]);
    expect(requested.filter((url) => !url.startsWith(stack.api.url))).toEqual([]);
    expect(await page.evaluate('JSON.stringify(localStorage)')).toBe('{}');
    const other = await browser.context.newPage();
    await other.goto(stack.api.url);
    await other.getByLabel('API key').waitFor();
    await other.close();
  });

  test('opens the page in a browser that blocks cookies, whose storage throws', async () => {
    await page.addInitScript(() => {
      const get = () => {
        throw new DOMException('Access is denied for this document.', 'SecurityError');
      };
      for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get });
    });
    const { text } = await begin();
    expect(await whole()).toBe(inWords(text));
  });

  test('of another tenant sees none of these runs', async () => {
    await begin({ tokens: 120, delayMs: 1 });
    await whole();
    const run = await answeredBy();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(await stack.addKey({ tenant: `${TENANT}-other`, user: 'eve' }));
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByText('None yet.').waitFor();
    await page.goto(`${stack.api.url}/#/runs/${run}`);
    await page.getByText('There is no generation').waitFor();
  });
});

test('the page may load nothing from elsewhere, run nothing inline, and be framed by nobody', async () => {
  const response = await fetch(stack.api.url);
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
    expect(policy).toContain(rule);
  }
  const html = await response.text();
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:/);
  const [asset = ''] = /\/assets\/[^"]+\.js/.exec(html) ?? [];
  const script = await fetch(`${stack.api.url}${asset}`);
  expect(script.headers.get('cache-control')).toContain('immutable');
  expect(script.headers.get('x-content-type-options')).toBe('nosniff');
});

// The last, since it leaves the circuit open.
test('a provider is shown with its circuit, and why it is open', async () => {
  await begin({ tokens: 120, delayMs: 1 });
  await whole();
  await page.getByRole('link', { name: 'Providers', exact: true }).click();
  const provider = page.getByRole('region', { name: 'simulated', exact: true });
  const row = provider.getByRole('row').filter({ hasText: 'sim-large' });
  await row.getByText('closed').waitFor();
  await stack.sim.fault({ kind: 'status', status: 500, wire: 'openai', times: 200 });
  await waitFor('the circuit to open', async () => {
    const request = {
      input: promptOf({ tokens: 5, delayMs: 0 }),
      cache: 'off',
      model: 'simulated/sim-large',
    };
    const { body } = await own.create({ ...request, cache: 'off' });
    await startReading(own, body.id).whole;
    return row.getByText('too many errors').isVisible();
  });
});

/** In its own process: the bundler is no part of what is tested. */
async function buildPage(): Promise<void> {
  await promisify(execFile)(process.execPath, ['clients/web/build.ts'], { cwd: PROJECT_ROOT });
}
