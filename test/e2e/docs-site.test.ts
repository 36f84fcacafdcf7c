/** The documentation site as a browser gets it from the API. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ALL_PAGES } from '../../tools/docs/site-map.ts';
import { barriersOf } from '../harness/barriers.ts';
import { BROWSER_WITHIN_MS, type Browser, openBrowser } from '../harness/browser.ts';
import { buildDocs } from '../harness/build-docs.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const BROWSER_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const WIDTH_OF_THE_SHOWN =
  "[...document.querySelectorAll('.vp-doc img')].find(({ offsetParent }) => offsetParent !== null)?.naturalWidth";
let stack: Stack;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), openBrowser(), buildDocs()]);
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page?.close();
  page = await browser.context.newPage();
});

const get = (path: string, accept = BROWSER_ACCEPT, init: RequestInit = {}) =>
  fetch(`${stack.api.url}/docs${path}`, { ...init, headers: { accept } });
const open = (path: string) => page.goto(`${stack.api.url}/docs${path}`);

/** Sends a path as it is: `fetch` would resolve its dots. */
async function getRaw(path: string): Promise<string> {
  const { hostname, port } = new URL(stack.api.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

describe('the site', () => {
  test('has every page of its map, under the security policy', async () => {
    for (const { path } of ALL_PAGES) {
      const response = await get(`/${path.replace(/(^|\/)index$/, '$1')}`);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get('content-type')).toMatch(/^text\/html/);
      const policy = response.headers.get('content-security-policy');
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('unsafe');
      await response.body?.cancel();
    }
  });

  test('is searched, read and followed without breaking its security policy', async () => {
    const before = browser.complaints.length;
    await open('/');
    await page.getByRole('button', { name: 'Search' }).first().click();
    await page.getByRole('searchbox').fill('fenced epoch');
    await page.getByRole('option').first().waitFor();
    await page.getByRole('searchbox').fill('budget_exceeded');
    await page
      .getByRole('option', { name: /budget_exceeded/ })
      .first()
      .click();
    await page.getByRole('heading', { name: 'budget_exceeded', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/docs/errors/budget_exceeded');
    await page.getByRole('link', { name: 'Architecture', exact: true }).click();
    await page.getByRole('heading', { name: 'Architecture', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'docs/routing.md' }).click();
    await page.getByRole('heading', { name: /^Routing/, level: 1 }).waitFor();
    expect(browser.complaints.slice(before)).toEqual([]);
  });

  test('shows its diagrams as pictures, in the colours of the theme', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await open('/architecture');
    const shown = () => page.locator('.vp-doc img:visible');
    expect(await shown().getAttribute('src')).toContain('-light.');
    const width = () => page.evaluate<number>(WIDTH_OF_THE_SHOWN);
    expect(await width()).toBeGreaterThan(300);
    await page.getByRole('switch').first().click();
    expect(await shown().getAttribute('src')).toContain('-dark.');
    expect(await width()).toBeGreaterThan(300);
    await page.reload();
    expect(await page.locator('html').getAttribute('class')).toContain('dark');
  });

  test.each(['light', 'dark'] as const)('meets no barrier that axe knows (%s)', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const path of ['/', '/budgets', '/errors/not_found']) {
      await open(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect({ path, barriers: await barriersOf(page) }).toEqual({ path, barriers: [] });
    }
  });

  test('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open('/protocol');
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });
});

describe('its files', () => {
  test('are revalidated, and those whose name has a hash are kept', async () => {
    const first = await get('/budgets');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const asset = /\/docs(\/assets\/app\.[\w-]+\.js)/.exec(await first.text())?.[1];
    const script = await get(asset ?? '');
    expect(script.status).toBe(200);
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    await script.body?.cancel();
    const headers = { 'if-none-match': first.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
    expect((await fetch(`${stack.api.url}/docs/budgets`, { headers })).status).toBe(304);
  });

  test('are the only ones', async () => {
    for (const path of [
      '/docs/../package.json',
      '/docs/..%2f..%2fpackage.json',
      '/docs/%2e%2e/%2e%2e/package.json',
      '/docs/assets/..%2f..%2f..%2fpackage.json',
      '/docs/..%5c..%5cpackage.json',
      '/docs//etc/passwd',
      '/docs/.sources-sha256',
      '/docs/%00',
    ]) {
      const response = await getRaw(path);
      expect([path, response.split('\r\n')[0]]).toEqual([path, expect.stringMatching(/ (?:40[034]|301) /)]);
      expect(response).not.toContain('"dependencies"');
    }
  });

  test('a page that does not exist is a 404, for browsers and for programs', async () => {
    const missing = await get('/no-such-page');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await (await get('/no-such-page', '*/*')).json()).toMatchObject({ error: { code: 'not_found' } });
    await open('/no-such-page');
    await page.getByRole('heading', { name: /not found/i }).waitFor();
    expect((await get('/budgets', '*/*', { method: 'POST' })).status).toBe(405);
  });

  test('the page of an error is a page for browsers, and Markdown for programs', async () => {
    const markdown = await get('/errors/not_found', '*/*');
    expect(markdown.headers.get('content-type')).toMatch(/^text\/markdown/);
    expect(markdown.headers.get('vary')).toContain('Accept');
    expect(await markdown.text()).toMatch(/^# not_found/);
    const site = await get('/errors/not_found');
    expect(site.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await site.text()).toContain('<title>not_found | Unbroken</title>');
  });

  test('the schemas lie beside the pages', async () => {
    expect(await (await get('/openapi.json')).json()).toEqual(
      await (await fetch(new URL('/openapi.json', stack.api.url))).json(),
    );
    expect(await (await get('/unbroken.config.schema.json')).json()).toHaveProperty('$schema');
  });
});
