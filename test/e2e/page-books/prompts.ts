/** Prompts are written, compared and labelled in the page. */
import { expect } from '@jest/globals';
import { promptOf } from '../../harness/prompt.ts';
import { startReading } from '../../harness/reader.ts';
import type { PageDesk } from './page-desk.ts';

export async function chartsVersions(desk: PageDesk): Promise<void> {
  const versions = ['Answer at length, and repeat the question before you do.', 'Be brief.'];
  for (const system of versions) await desk.send('POST', '/v1/prompts/support/versions', { system });
  const costs = [];
  for (const version of [1, 2]) costs.push(await desk.generate({ prompt: { name: 'support', version } }));
  const page = await desk.open('Prompts');
  const chart = page.getByRole('img', { name: 'Cost per request by version' });
  const [first, second] = costs.map(({ costMicroUsd }) => `$${(costMicroUsd / 1_000_000).toFixed(6)}`);
  await page.getByRole('img', { name: `v1 ${first}, v2 ${second}` }).waitFor();
  const widths = await chart.locator('.fill').evaluateAll((bars) => bars.map((bar) => bar.clientWidth));
  expect(widths).toHaveLength(2);
  expect(widths[0]).toBeGreaterThan(widths[1] ?? 0);
  const row = page.getByRole('region', { name: 'support' }).getByRole('row').filter({ hasText: 'v2' });
  expect(await row.textContent()).toContain(second);
  await page.getByLabel('Measure').selectOption('Output tokens per request');
  await page.getByRole('img', { name: 'Output tokens per request by version: v1 50, v2 50' }).waitFor();
  expect(await desk.barriers()).toEqual([]);
}

export async function writesComparesAndLabels(desk: PageDesk): Promise<void> {
  const page = await desk.open('Prompts');
  await page.getByRole('button', { name: 'New prompt' }).click();
  await page.getByLabel('Prompt name').fill('Greeter');
  await page.getByRole('button', { name: 'Write its first version' }).click();
  await page.getByText('Expected up to 64 of a-z').waitFor();
  await page.getByLabel('Prompt name').fill('greeter');
  await page.getByRole('button', { name: 'Write its first version' }).click();
  await page.getByLabel('System text').fill('Greet {{name');
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByText('"{{name" has no }}').waitFor();
  await page.getByLabel('System text').fill('Greet {{name}}.\nBe friendly and brief.');
  await page.getByLabel('Default of name').fill('a customer');
  await page.getByLabel('Max. output tokens').fill('600');
  expect(await desk.barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByRole('heading', { name: 'Content' }).waitFor();
  await page.getByRole('button', { name: 'Edit as a new version' }).click();
  await page.getByLabel('System text').fill('Greet {{name}}.\nBe brief.');
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByText('Version 2 is added.').waitFor();
  await page.getByText('1 line differs.').waitFor();
  expect(await page.locator('.diff del').allTextContents()).toEqual(['friendly and ']);
  await page.getByRole('button', { name: 'Set a label' }).click();
  await page.getByLabel('Version', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Set the label' }).click();
  const label = page.getByRole('row').filter({ hasText: 'production' });
  await label.getByText('v1').waitFor();
  expect(await versionUsed(desk, 'greeter')).toBe(1);
  await label.getByRole('button', { name: 'Move production', exact: true }).click();
  await page.getByRole('button', { name: 'Divide among one more version' }).click();
  await page.getByLabel('Version 2').fill('2');
  await page.getByLabel('Weight 1').fill('30');
  await page.getByLabel('Weight 2').fill('10');
  expect(await desk.barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Move the label' }).click();
  await label.getByText('v1 75 %, v2 25 %, by user').waitFor();
  await label.getByRole('button', { name: 'Move production', exact: true }).click();
  await page.getByRole('button', { name: 'Remove the last version' }).click();
  await page.getByLabel('Version', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Move the label' }).click();
  await label.getByText('v2', { exact: true }).waitFor();
  expect(await versionUsed(desk, 'greeter')).toBe(2);
  await label.getByRole('button', { name: 'Remove production' }).click();
  await desk.confirm('Remove the label');
  await page.getByText('No labels yet').waitFor();
  expect(desk.browser.complaints).toEqual([]);
}

export async function managesNothingWithoutAdmin(desk: PageDesk): Promise<void> {
  const key = await desk.stack.addKey({ tenant: desk.tenant, user: 'guest', scopes: ['generate'] });
  const page = await desk.open('Keys', key);
  await page.getByText('Keys are managed with a key that has the scope admin').waitFor();
  await page.getByRole('link', { name: 'Budgets', exact: true }).click();
  await page.getByText('Budgets are visible to keys with the scope admin').waitFor();
  await page.getByRole('link', { name: 'Prompts', exact: true }).click();
  await page.getByRole('heading', { name: 'Compare versions' }).waitFor();
  for (const name of ['New prompt', 'Edit as a new version', 'Set a label']) {
    expect(await page.getByRole('button', { name }).count()).toBe(0);
  }
}

/** The version that a request gets which names the prompt alone. */
async function versionUsed(desk: PageDesk, name: string): Promise<number | undefined> {
  const body = await desk.api.submit({
    input: promptOf({ tokens: 5 }),
    cache: 'off',
    prompt: { name, variables: {} },
  });
  await startReading(desk.api, body.id).whole;
  return (await desk.api.view(body.id)).body.prompt?.version;
}
