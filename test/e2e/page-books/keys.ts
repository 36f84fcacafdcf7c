/** Keys are created, used, rotated and revoked in the page. */
import { expect } from '@jest/globals';
import { promptOf } from '../../harness/prompt.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { PageDesk } from './page-desk.ts';

export async function createsRotatesAndRevokes(desk: PageDesk): Promise<void> {
  await desk.browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await desk.open('Keys');
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.getByRole('button', { name: 'Create the key' }).click();
  await page.getByText('Expected 1 to 128 of A-Z').waitFor();
  await page.getByLabel('Name (optional)').fill('billing service');
  await page.getByLabel('User', { exact: true }).fill('robot');
  expect(await desk.barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Create the key' }).click();
  const first = await copySecret(desk);
  expect(await statusOf(desk, first)).toBe(201);
  const row = page.getByRole('row').filter({ hasText: 'billing service' });
  await row.getByRole('button', { name: 'Rotate billing service' }).click();
  await page.getByLabel('The old secret stays valid for').selectOption('It is refused at once');
  await page.getByRole('button', { name: 'Rotate the key' }).click();
  const second = await copySecret(desk);
  await waitFor('the old secret to be refused', async () => (await statusOf(desk, first)) === 401);
  expect(await statusOf(desk, second)).toBe(201);
  const content = await page.content();
  expect([first, second].filter((secret) => content.includes(secret))).toEqual([]);
  await row.getByRole('button', { name: 'Revoke billing service' }).click();
  await page.keyboard.press('Escape');
  expect(await statusOf(desk, second)).toBe(201);
  await row.getByRole('button', { name: 'Revoke billing service' }).click();
  await desk.confirm('Revoke the key');
  await row.waitFor({ state: 'detached' });
  await waitFor('the revoked key to be refused', async () => (await statusOf(desk, second)) === 401);
  expect(desk.browser.complaints).toEqual([]);
}

/** Copies the new secret with the button of its dialog, and closes that. */
async function copySecret(desk: PageDesk): Promise<string> {
  const { page } = desk;
  const dialog = page.getByRole('dialog', { name: /^The key is/ });
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied.').waitFor();
  const secret = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(await dialog.locator('code').textContent()).toBe(secret);
  expect(await desk.barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Done' }).click();
  return secret;
}

/** What the API answers to a request with the key. */
async function statusOf(desk: PageDesk, key: string): Promise<number> {
  const input = promptOf({ tokens: 5, delayMs: 0 });
  return (await connectApi(desk.stack.api.url, key).create({ input, cache: 'off' })).status;
}
