/** Batches in the page: followed while they run, cancelled, and downloaded. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { BatchClient, chatLine } from '../../harness/batches.ts';
import { promptOf } from '../../harness/prompt.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { PageDesk } from './page-desk.ts';

/** Of four shards; one is counted when it is recorded, so half of them are quick. */
const LINES = 120;
const QUICK = 60;

export async function followsCancelsAndDownloads(desk: PageDesk): Promise<void> {
  // Of another tenant, because other tests set limits that lines at the same time would exceed.
  const tenant = `batches-${randomUUID()}`;
  const key = await desk.stack.addKey({ tenant, user: 'dev', scopes: ['generate'] });
  const batches = new BatchClient(desk.api.url, key);
  const lines = Array.from({ length: LINES }, (_, at) => {
    if (at === 0) return chatLine('refused', 'x', { model: 'unknown/model' });
    // Held answers are not over before the batch is cancelled, however slow the page is.
    return chatLine(`${at}`, promptOf(at < QUICK ? { tokens: 2 } : { tokens: 20, holdAt: 5 }));
  });
  const { id } = await batches.create(lines, { metadata: { night: 'the first' } });
  const page = await desk.open('Batches', key);
  const row = page.getByRole('row').filter({ has: page.getByTitle(id) });
  await row.getByText(`of ${LINES}, 1 failed`).waitFor();
  await row.getByText('in progress').waitFor();
  await row.getByText('about').waitFor();
  expect(await desk.barriers()).toEqual([]);
  await row.getByRole('link', { name: 'batch_' }).click();
  await page.getByText(/lines have ended; the last one should end at about/).waitFor();
  const facts = page.locator('.facts');
  await facts.getByText('lines/s').waitFor();
  await facts.getByText('the first').waitFor();
  await page.getByText('The files of results are written when the batch has ended.').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await desk.confirm('Cancel the batch');
  // Lines that run may still end, and are paid for.
  await desk.stack.sim.release();
  await page.getByText('It was cancelled.').waitFor();
  expect(await desk.barriers()).toEqual([]);
  const ended = await batches.endOf(id);
  const { output, errors } = await batches.resultsOf(ended);
  const text = (await facts.textContent()) ?? '';
  expect(text).toContain(`Completed${output.length}`);
  expect(text).toContain('Failed1');
  expect(text).toContain(`Cancelled${errors.length - 1}`);
  expect(output.length + errors.length).toBe(LINES);
  for (const [what, count] of [
    ['answers', output.length],
    ['errors', errors.length],
    ['input', LINES],
  ] as const) {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download the ${what}` }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(new RegExp(`^${id}_`));
    expect(
      readFileSync(await file.path(), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(count);
  }
  expect(desk.browser.complaints).toEqual([]);
}

export async function namesTheFaultsOfAFile(desk: PageDesk): Promise<void> {
  const batches = new BatchClient(desk.api.url, desk.api.key);
  const { id } = await batches.create([chatLine('a', 'x'), '{', chatLine('a', 'x')]);
  await batches.endOf(id);
  const page = await desk.open('Batches');
  await page.getByTitle(id).click();
  await page.getByText('Its file was refused, and nothing was sent.').waitFor();
  await page.getByRole('cell', { name: 'invalid_json_line' }).waitFor();
  await page.getByRole('cell', { name: 'duplicate_custom_id' }).waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await desk.barriers()).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** What has ended is not asked for again, and a list of such batches rarely. */
export async function asksForNothingThatHasEnded(desk: PageDesk): Promise<void> {
  const batches = new BatchClient(desk.api.url, desk.api.key);
  const { id } = await batches.create([chatLine('a', promptOf({ tokens: 2 }))]);
  await batches.endOf(id);
  const page = await desk.open('Batches');
  await page.getByTitle(id).click();
  await page.clock.install();
  await page.reload();
  await page.getByText('It is complete.').waitFor();
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/v1/batches')) requests.push(request.url());
  });
  await page.clock.runFor(300_000);
  expect(requests).toEqual([]);
  await page.getByRole('link', { name: 'All batches' }).click();
  await page.getByTitle(id).waitFor();
  await waitFor('the list to be read', () => requests.length === 1);
  await page.clock.runFor(20_000);
  expect(requests).toHaveLength(1);
  await page.clock.runFor(11_000);
  await waitFor('the list to be read again', () => requests.length === 2);
}

export async function listsMessageBatches(desk: PageDesk): Promise<void> {
  const params = { model: 'simulated-messages/sim-large', max_tokens: 64 };
  const messages = [{ role: 'user', content: promptOf({ tokens: 3 }) }];
  await desk.send('POST', '/v1/messages/batches', {
    requests: [{ custom_id: 'only', params: { ...params, messages } }],
  });
  const page = await desk.open('Batches');
  await page.getByLabel('Format').selectOption('Anthropic');
  const row = page.getByRole('row').filter({ hasText: '/v1/messages' });
  expect(await desk.barriers()).toEqual([]);
  await row.getByRole('link', { name: 'msgbatch' }).click();
  await page.getByText('It is complete.').waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the answers' }).click(),
  ]);
  expect(readFileSync(await file.path(), 'utf8')).toContain('"custom_id":"only"');
  expect(await page.getByRole('button', { name: 'Download the input' }).count()).toBe(0);
  await page.getByRole('link', { name: 'All batches' }).click();
  expect(await page.getByLabel('Format').inputValue()).toBe('anthropic');
}
