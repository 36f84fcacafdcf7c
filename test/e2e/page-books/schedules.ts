/** Schedules in the page: their times and runs, and their switches. */
import { expect } from '@jest/globals';
import { BatchClient, chatLine } from '../../harness/batches.ts';
import { promptOf } from '../../harness/prompt.ts';
import type { PageDesk } from './page-desk.ts';

const NEVER = { cron: ['0 6 1 1 *'], timeZone: 'Europe/Berlin' };

export async function runsPausesAndDeletes(desk: PageDesk): Promise<void> {
  const generation = { input: promptOf({ tokens: 3, delayMs: 0 }), cache: 'off' };
  const description = 'the new year';
  await desk.send('POST', '/v1/schedules', { times: NEVER, generation, description });
  const page = await desk.open('Schedules');
  const row = page.getByRole('row').filter({ hasText: description });
  await row.getByText('0 6 1 1 * (Europe/Berlin)').waitFor();
  await row.getByText('none yet').waitFor();
  expect(await row.getByRole('cell').nth(2).locator('time').count()).toBeGreaterThan(0);
  expect(await desk.barriers()).toEqual([]);

  await row.getByRole('button', { name: `Pause ${description}` }).click();
  await row.getByText('paused', { exact: true }).waitFor();
  await row.getByText('when it is unpaused').waitFor();
  await row.getByRole('button', { name: `Unpause ${description}` }).click();
  await row.getByText('active', { exact: true }).waitFor();

  await row.getByRole('button', { name: `Run now ${description}` }).click();
  await row.getByRole('link', { name: 'gen_' }).click();
  await page.waitForURL('**/#/runs/gen_*');
  await page.getByText('completed', { exact: true }).first().waitFor();
  await page.goBack();

  await row.getByRole('button', { name: `Delete ${description}` }).click();
  await page.keyboard.press('Escape');
  await row.waitFor();
  await row.getByRole('button', { name: `Delete ${description}` }).click();
  await desk.confirm('Delete the schedule');
  await row.waitFor({ state: 'detached' });
  await page.getByText('None yet.').waitFor();
  expect(desk.browser.complaints).toEqual([]);
}

export async function leadsToItsBatches(desk: PageDesk): Promise<void> {
  const input_file_id = await new BatchClient(desk.api.url, desk.api.key).upload([
    chatLine('a', promptOf({ tokens: 2 })),
  ]);
  const batch = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '1h' };
  const description = 'every night';
  await desk.send('POST', '/v1/schedules', { times: { everyMs: 86_400_000 }, batch, description });
  const page = await desk.open('Schedules');
  const row = page.getByRole('row').filter({ hasText: description });
  await row.getByText('every day').waitFor();
  await row.getByText('starts a batch').waitFor();
  await row.getByRole('button', { name: `Run now ${description}` }).click();
  await row.getByRole('link', { name: 'batch_' }).click();
  await page.getByText('It is complete.').waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goBack();
  await row.waitFor();
  expect(await desk.barriers()).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await page.setViewportSize({ width: 1280, height: 800 });
  await row.getByRole('button', { name: `Delete ${description}` }).click();
  await desk.confirm('Delete the schedule');
  await row.waitFor({ state: 'detached' });
}
