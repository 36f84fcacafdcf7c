/** A stored answer is found, read and deleted in the page. */
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { workflowId } from '../../../contracts/names.ts';
import { promptOf } from '../../harness/prompt.ts';
import { startReading } from '../../harness/reader.ts';
import { closeTemporalClients, temporalClient } from '../../harness/streaming-worker.ts';
import type { PageDesk } from './page-desk.ts';

export async function findsReadsAndDeletes(desk: PageDesk): Promise<void> {
  const words = `zeppelin ${randomUUID()}`;
  const input = `What is a ${words}? ${promptOf({ tokens: 30, delayMs: 1 })}`;
  const { text } = await desk.stack.sim.text(input);
  expect(await isCached(desk, input)).toBe(false);
  expect(await isCached(desk, input)).toBe(true);
  const page = await desk.open('Cache');
  await page.getByLabel('Words of the question or the answer').fill(words);
  await page.getByRole('button', { name: 'Find' }).click();
  const row = page.getByRole('row').filter({ hasText: words });
  expect(await desk.barriers()).toEqual([]);
  await row.getByRole('button', { name: 'What is' }).first().click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.getByRole('region', { name: 'Answer' }).textContent()).toBe(text);
  expect(await desk.barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await desk.confirm('Delete the answer');
  await page.getByText('1 entry is deleted.').waitFor();
  await row.waitFor({ state: 'detached' });
  expect(await isCached(desk, input)).toBe(false);
  expect(desk.browser.complaints).toEqual([]);
}

export async function showsAndLiftsComplaints(desk: PageDesk): Promise<void> {
  const topic = `gadget number ${process.pid}${Date.now()} [[sim tokens=10 delay_ms=1]]`;
  const question = `How do I turn on the ${topic}?`;
  const other = `What is the way to switch on the ${topic}?`;
  expect(await isCached(desk, question)).toBe(false);
  const body = await desk.api.submit({ input: other });
  await startReading(desk.api, body.id).whole;
  const feedback = { method: 'POST', body: JSON.stringify({ score: -1 }) };
  const rated = await desk.api.send(`/v1/generations/${body.id}/feedback`, feedback);
  expect(await rated.json()).toMatchObject({ cache: 'quarantined' });
  const page = await desk.open('Cache');
  const row = page.getByRole('row').filter({ hasText: question });
  await row.getByText('1 complaint').waitFor();
  await row.getByRole('button', { name: 'How do I' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(other).waitFor();
  expect(await desk.barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Lift' }).click();
  await dialog.getByText('Never given to').waitFor({ state: 'detached' });
  expect(await isCached(desk, other)).toBe(true);
}

export async function showsUsersTheirOwn(desk: PageDesk): Promise<void> {
  const user = `keeper-${randomUUID()}`;
  await isCached(desk, promptOf({ tokens: 10, delayMs: 1 }), user);
  const keyOf = (name: string) =>
    desk.stack.addKey({ tenant: desk.tenant, user: name, scopes: ['generate'] });
  const page = await desk.open('Cache', await keyOf('stranger'));
  await page.getByText('Nothing is stored yet').waitFor();
  expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
  await desk.newPage();
  const own = await desk.open('Cache', await keyOf(user));
  await own.getByRole('row').filter({ hasText: user }).getByRole('button', { name: 'Delete' }).click();
  await desk.confirm('Delete the answer');
  await own.getByText('Nothing is stored yet').waitFor();
}

/** Asks, and resolves once the answer is stored with whether it came from the cache. */
async function isCached(desk: PageDesk, input: string, user = 'dev'): Promise<boolean> {
  const body = await desk.api.submit({ input, user });
  const events = await startReading(desk.api, body.id).whole;
  const last = events.at(-1);
  const temporal = await temporalClient(desk.stack.env);
  await temporal.workflow.getHandle(workflowId(desk.tenant, body.id)).result();
  await closeTemporalClients();
  if (last?.type !== 'generation-end') throw new Error(`${body.id} ended with ${last?.type}`);
  expect(events.filter(({ type }) => type === 'cache-skip')).toEqual([]);
  return last.cached;
}
