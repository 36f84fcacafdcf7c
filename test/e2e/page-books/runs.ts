/** Runs are searched in the page. */
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { promptOf } from '../../harness/prompt.ts';
import type { PageDesk } from './page-desk.ts';

export async function findsByEachTerm(desk: PageDesk): Promise<void> {
  const user = `seeker-${randomUUID()}`;
  await desk.send('POST', '/v1/prompts/sought/versions', { system: 'Be brief.' });
  const { id } = await desk.generate({ user, prompt: { name: 'sought', version: 1 } });
  const other = await desk.generate({ user });
  const page = await desk.open('Runs');
  const rowOf = (run: string) => page.getByRole('row').filter({ has: page.getByTitle(run) });
  const find = async (terms: Readonly<Record<string, string>>) => {
    for (const [label, value] of Object.entries({ User: user, ...terms })) {
      if (label === 'Status') await page.getByLabel(label).selectOption(value);
      else await page.getByLabel(label, { exact: true }).fill(value);
    }
    await page.getByRole('button', { name: 'Search' }).click();
  };
  // Temporal's visibility store is eventually consistent; the list reloads until it has both.
  await find({});
  await rowOf(id).getByText('completed').waitFor();
  await rowOf(other.id).getByText('completed').waitFor();
  await find({ Prompt: 'sought@1', Model: 'simulated/sim-large', Status: 'completed' });
  await rowOf(other.id).waitFor({ state: 'detached' });
  await rowOf(id).getByText('sought@1').waitFor();
  expect(await desk.barriers()).toEqual([]);
  const all = { Prompt: '', Model: '', Status: '', From: '', Until: '' };
  const others = [
    { Prompt: 'sought@2' },
    { Status: 'failed' },
    { Model: 'simulated/none' },
    { Until: '2020-01-01T00:00' },
    { From: '2099-01-01T00:00' },
    { User: 'nobody' },
  ];
  for (const terms of others) {
    await find({ ...all, ...terms });
    await page.getByText('No run matches.').waitFor();
    await find(all);
    await rowOf(id).waitFor();
  }
  await rowOf(id).getByRole('link', { name: 'gen_' }).click();
  await page.waitForURL(`**/#/runs/${id}`);
  expect(desk.browser.complaints).toEqual([]);
}

export async function readsInPages(desk: PageDesk): Promise<void> {
  const user = `many-${randomUUID()}`;
  const input = promptOf({ tokens: 2, delayMs: 0 });
  const runs = await Promise.all(
    Array.from({ length: 52 }, () => desk.generate({ input, user, maxOutputTokens: 5 })),
  );
  const key = await desk.stack.addKey({ tenant: desk.tenant, user, scopes: ['generate'] });
  const page = await desk.open('Runs', key);
  await page.getByRole('button', { name: 'Show more' }).click();
  const rows = page.locator('tbody tr');
  await rows.nth(51).waitFor();
  expect(await rows.count()).toBe(52);
  const ids = await page
    .locator('tbody a[title]')
    .evaluateAll((links) => links.map((link) => link.getAttribute('title')));
  expect(new Set(ids)).toEqual(new Set(runs.map(({ id }) => id)));
  expect(await page.getByLabel('User').count()).toBe(0);
}
