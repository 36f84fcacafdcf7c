/** Usage in charts: what they show is what the ledger has. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { formatCost } from '../../../clients/web/src/format.ts';
import { promptOf } from '../../harness/prompt.ts';
import { startReading } from '../../harness/reader.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import type { PageDesk } from './page-desk.ts';

export async function equalsTheLedger(desk: PageDesk): Promise<void> {
  const user = `reader-${randomUUID()}`;
  await desk.generate({ user });
  await desk.generate({ user, prompt: { name: 'support', version: 2 } });
  const [own, all] = [await desk.ledgerSums(user), await desk.ledgerSums()];
  expect(own.tokens).toBeGreaterThan(100);
  const page = await desk.open('Usage');
  for (const grouping of ['Nothing', 'User', 'Team', 'Key', 'Model', 'Prompt version']) {
    await page.getByLabel('Divided by').selectOption(grouping);
    const divided = grouping === 'Nothing' ? '' : ` and ${grouping.toLowerCase()}`;
    await page.getByRole('heading', { name: `Spend by day${divided}`, exact: true }).waitFor();
    expect(await totalOf(desk, `Spend by day${divided}`)).toBe(formatCost(all.costMicroUsd));
    expect(await totalOf(desk, `Tokens by day${divided}`)).toBe(all.tokens.toLocaleString('en'));
  }
  await page.getByLabel('Divided by').selectOption('User');
  const row = page.getByRole('row').filter({ hasText: user });
  expect(await row.textContent()).toContain(formatCost(own.costMicroUsd));
  await row.getByRole('button').click();
  await page.getByRole('heading', { name: 'Spend by day and model' }).waitFor();
  expect(await totalOf(desk, 'Spend by day and model')).toBe(formatCost(own.costMicroUsd));
  await page.getByRole('button', { name: `user ${user}` }).click();
  await page.getByLabel('Period').selectOption('Today');
  await page.getByRole('heading', { name: 'Spend by hour and model' }).waitFor();
  expect(await totalOf(desk, 'Spend by hour and model')).toBe(formatCost(all.costMicroUsd));
  expect(desk.browser.complaints).toEqual([]);
}

export async function isReadByKeyboardAndFitsAPhone(desk: PageDesk): Promise<void> {
  const page = await desk.open('Usage');
  const chart = page.getByRole('slider', { name: /^Spend by day/ });
  await chart.focus();
  await page.keyboard.press('End');
  const today = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' }).format();
  expect(await chart.getAttribute('aria-valuetext')).toContain(`${today}: simulated/sim-large $`);
  await page.getByLabel('Divided by').selectOption('User');
  await page.getByRole('heading', { name: 'By user' }).waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ]);
  const lines = readFileSync(await file.path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(lines[0]).toBe('day,user,generations,tokens,costMicroUsd');
  const sum = lines.slice(1).reduce((cost, line) => cost + Number(line.split(',').at(-1)), 0);
  expect(sum).toBe((await desk.ledgerSums()).costMicroUsd);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await desk.barriers()).toEqual([]);
  }
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await page.getByLabel('Period').selectOption('Other days');
  await page.getByLabel('First day').fill('2020-01-01');
  await page.getByText('A period has at most 400 days.').waitFor();
  expect(desk.browser.complaints).toEqual([]);
}

export async function countsFailuresAndHidesOthers(desk: PageDesk): Promise<void> {
  await desk.stack.sim.fault({ kind: 'status', status: 500, wire: 'openai', times: 1 });
  await desk.generate({});
  const page = await desk.open('Usage');
  await page.getByRole('button', { name: 'Table of Failures by provider' }).click();
  const table = page.getByRole('table', { name: 'Failures by provider' });
  await table.getByRole('columnheader', { name: 'simulated' }).waitFor();
  expect(await table.locator('tfoot').textContent()).toMatch(/[1-9]/);
  await page.getByRole('row').filter({ hasText: 'provider_unavailable' }).first().waitFor();
  const user = `guest-${randomUUID()}`;
  const key = await desk.stack.addKey({ tenant: desk.tenant, user, scopes: ['generate'] });
  const input = promptOf({ tokens: 20, delayMs: 0 });
  const { body } = await connectApi(desk.stack.api.url, key).create({ input, cache: 'off' });
  await startReading(desk.api, body.id).whole;
  const { costMicroUsd } = await desk.ledgerSums(user);
  await desk.newPage();
  const ofGuest = await desk.open('Usage', key);
  expect(await totalOf(desk, 'Spend by day and model')).toBe(formatCost(costMicroUsd));
  expect(await ofGuest.getByText('Failures by provider').count()).toBe(0);
  expect(desk.browser.complaints).toEqual([]);
}

/** The sum below the table of a chart. */
async function totalOf(desk: PageDesk, title: string): Promise<string | undefined> {
  const { page } = desk;
  const toggle = page.getByRole('button', { name: `Table of ${title}`, exact: true });
  await toggle.click();
  const cells = await page
    .getByRole('table', { name: title, exact: true })
    .locator('tfoot td')
    .allTextContents();
  await toggle.click();
  return cells.at(-1);
}
