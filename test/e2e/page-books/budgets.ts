/** Budgets are shown, set, edited and removed in the page. */
import { expect } from '@jest/globals';
import { promptOf } from '../../harness/prompt.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { PageDesk } from './page-desk.ts';

export async function showsSpend(desk: PageDesk): Promise<void> {
  await desk.send('PUT', '/v1/budgets/limits', { per: 'user', window: 'day', amount: 20_000 });
  const { tokens } = await desk.generate({});
  const page = await desk.open('Budgets');
  const day = page.getByRole('region', { name: /^day / });
  await day.getByText(`${tokens} tokens spent, of 20,000 tokens`).waitFor();
  const row = page.getByRole('row').filter({ hasText: 'each user' });
  expect(await row.textContent()).toContain('20,000 tokens');
  await page.getByLabel('Name').fill('nobody-yet');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('heading', { name: 'user nobody-yet' }).waitFor();
  expect(await desk.barriers()).toEqual([]);
  expect(desk.browser.complaints).toEqual([]);
}

export async function refusesUntilEditedOrRemoved(desk: PageDesk): Promise<void> {
  const request = { input: promptOf({ tokens: 300 }), user: 'poor', cache: 'off', stream: true } as const;
  const isRefused = async () => {
    const response = await desk.api.send('/v1/generations', {
      method: 'POST',
      body: JSON.stringify(request),
    });
    await response.text();
    return response.status === 429;
  };
  const page = await desk.open('Budgets');
  await page.getByRole('button', { name: 'Set a limit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('poor');
  await dialog.getByLabel('Window').fill('40d');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await dialog.getByText('Expected day, month, or a rolling window from 1h to 31d').waitFor();
  await dialog.getByText('Expected a whole number of tokens').waitFor();
  expect(await desk.barriers()).toEqual([]);
  await dialog.getByLabel('Window').fill('7d');
  await dialog.getByLabel('Amount in tokens').fill('60');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  const row = page.getByRole('row').filter({ hasText: 'user poor' });
  await row.getByText('60 tokens').waitFor();
  await waitFor('the limit to apply', isRefused);
  await row.getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Amount in tokens').fill('100000');
  await dialog.getByLabel('Warn at').fill('55.5');
  await page.getByRole('button', { name: 'Save the limit' }).click();
  await row.getByText('100,000 tokens').waitFor();
  await waitFor('the new amount to apply', async () => !(await isRefused()));
  const limits = (await (await desk.api.send('/v1/budgets/limits')).json()) as { data: object[] };
  expect(limits.data).toContainEqual(expect.objectContaining({ id: 'poor', amount: 100_000, warnAt: 0.555 }));
  await row.getByRole('button', { name: 'Remove' }).click();
  await desk.confirm('Remove the limit');
  await row.waitFor({ state: 'detached' });
}

export async function countsInDollars(desk: PageDesk): Promise<void> {
  const user = 'spender';
  const { costMicroUsd } = await desk.generate({ user });
  const page = await desk.open('Budgets');
  await page.getByRole('button', { name: 'Set a limit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(user);
  await dialog.getByLabel('Unit').selectOption('US dollars');
  await dialog.getByLabel('Amount in US dollars').fill('0.0000001');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await dialog.getByText('with at most 6 decimals').waitFor();
  await dialog.getByLabel('Amount in US dollars').fill('0.29');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  const row = page.getByRole('row').filter({ hasText: `user ${user}` });
  await row.getByText('$0.29').waitFor();
  await row.getByText(`$${(costMicroUsd / 1_000_000).toFixed(6)}`).waitFor();
}
