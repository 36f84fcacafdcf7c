/** The page in a real Chromium over a whole stack, with a tenant that no other suite has, and an admin's key for it. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { barriersOf } from '../../harness/barriers.ts';
import { type Browser, openBrowser } from '../../harness/browser.ts';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { promptOf } from '../../harness/prompt.ts';
import { startReading } from '../../harness/reader.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../../harness/unbroken-api.ts';
import { waitFor } from '../../harness/wait-for.ts';

const PRICE = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 10_000_000 };

export class PageDesk {
  readonly tenant: string;
  readonly stack: Stack;
  readonly browser: Browser;
  readonly api: UnbrokenApi;
  #page: Page | null = null;

  private constructor(tenant: string, parts: { stack: Stack; browser: Browser; api: UnbrokenApi }) {
    this.tenant = tenant;
    this.stack = parts.stack;
    this.browser = parts.browser;
    this.api = parts.api;
  }

  static async start(): Promise<PageDesk> {
    await promisify(execFile)(process.execPath, ['clients/web/build.ts'], { cwd: PROJECT_ROOT });
    const config = { prices: { 'simulated/sim-large': PRICE } };
    const [stack, browser] = await Promise.all([startStack({ config }), openBrowser()]);
    const tenant = `books-${randomUUID()}`;
    const key = await stack.addKey({ tenant, user: 'dev', scopes: ['generate', 'any-user', 'admin'] });
    return new PageDesk(tenant, { stack, browser, api: connectApi(stack.api.url, key) });
  }

  async stop(): Promise<void> {
    await Promise.all([this.browser.close(), this.stack.stop()]);
  }

  get page(): Page {
    if (this.#page === null) throw new Error('no page is open');
    return this.#page;
  }

  async newPage(): Promise<void> {
    await this.#page?.close();
    this.#page = await this.browser.context.newPage();
  }

  /** Signs in, and shows a view. */
  async open(view: string, key = this.api.key): Promise<Page> {
    const { page } = this;
    await page.goto(this.api.url);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: view, exact: true }).click();
    return page;
  }

  async send(method: string, path: string, body: object): Promise<void> {
    const response = await this.api.send(path, { method, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  /** Generates, and resolves with the tokens that it took and what they cost. */
  async generate(request: object): Promise<{ id: string; tokens: number; costMicroUsd: number }> {
    const input = promptOf({ tokens: 50, delayMs: 0 });
    // A busy machine may answer 503; with the same key, a client may send the request again.
    const key = randomUUID();
    const body = await waitFor('the generation to be accepted', async () => {
      const created = await this.api.create({ input, cache: 'off', ...request }, key);
      return created.status === 201 ? created.body : null;
    });
    const last = (await startReading(this.api, body.id).whole).at(-1);
    if (last?.type !== 'generation-end') throw new Error(`${body.id} ended with ${last?.type}`);
    return {
      id: body.id,
      tokens: last.usage.inputTokens + last.usage.outputTokens,
      costMicroUsd: last.costMicroUsd,
    };
  }

  /** What the ledger's entries add up to, of a user or the whole tenant, once all generations are settled. */
  async ledgerSums(user?: string): Promise<{ tokens: number; costMicroUsd: number }> {
    const subject = user === undefined ? '' : `&per=user&id=${user}`;
    return waitFor('all reservations to be settled', async () => {
      const response = await this.api.send(`/v1/budgets/entries?limit=1000${subject}`);
      const { data } = (await response.json()) as { data: Record<string, number>[] };
      const sum = (field: string) => data.reduce((total, entry) => total + Number(entry[field]), 0);
      return (
        sum('reservedTokens') === 0 && { tokens: sum('spentTokens'), costMicroUsd: sum('spentMicroUsd') }
      );
    });
  }

  /** What axe finds on the page. */
  barriers(): Promise<string[]> {
    return barriersOf(this.page);
  }

  /** Answers what the page asks before something that cannot be undone. */
  async confirm(action: string): Promise<void> {
    const dialog = this.page.getByRole('dialog');
    expect(await this.barriers()).toEqual([]);
    await dialog.getByRole('button', { name: action }).click();
    await dialog.waitFor({ state: 'detached' });
  }
}
