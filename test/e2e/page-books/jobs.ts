/** Jobs in the page: their graph, approvals, steps, reruns and comparisons. */
import { expect } from '@jest/globals';
import { createClient, type NewPipeline } from '../../../clients/typescript/index.ts';
import { quick, slow } from '../../harness/jobs.ts';
import type { PageDesk } from './page-desk.ts';

const step = (input: string) => ({ input, cache: 'off' as const, model: 'simulated/sim-large' });

/** Two drafts, a person who decides about both, and a last step. */
const REVIEWED: NewPipeline = {
  input: { topic: {} },
  steps: {
    first: step(quick('First: {{/input/topic}}')),
    second: step(quick('Second: {{/input/topic}}')),
    check: { approve: { message: 'Is this good?\n{{/steps/first}}' }, needs: ['second'] },
    last: { ...step(quick('Last: {{/input/topic}}')), needs: ['check'] },
  },
};

export async function runsFromApprovalToDocument(desk: PageDesk): Promise<void> {
  const client = createClient({ baseUrl: desk.api.url, apiKey: desk.api.key });
  const { id } = await client.jobs.run({ definition: REVIEWED, input: { topic: 'trams' } });
  const page = await desk.open('Jobs');
  const row = page.getByRole('row').filter({ has: page.getByTitle(id) });
  await row.getByText('waiting').waitFor();
  await row.getByText('2 of 4').waitFor();
  expect(await desk.barriers()).toEqual([]);
  await row.getByRole('link', { name: 'job_' }).click();

  const graph = page.getByRole('region', { name: 'Graph of the steps' });
  const node = (name: string) => graph.getByRole('button', { name: new RegExp(`^${name}`) });
  await node('first').getByText('completed').waitFor();
  await node('last').getByText('pending').waitFor();
  // Both drafts lead to the decision, and that to the last step.
  expect(await graph.locator('path').count()).toBe(3);
  const approval = page.getByRole('region', { name: 'check waits for a person' });
  await approval.getByText('Is this good?').waitFor();
  expect(await desk.barriers()).toEqual([]);
  await approval.getByLabel('Note').fill('shorter, please');
  await approval.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('The job is complete.').waitFor();
  await page.getByRole('heading', { name: 'Document' }).waitFor();
  const view = await client.jobs.get(id);
  expect(await page.getByRole('region', { name: 'Text of the document' }).textContent()).toBe(view.output);
  await node('check').click();
  await page.getByText('dev: shorter, please').waitFor();

  await node('first').click();
  await page.getByRole('heading', { name: 'first', exact: true }).waitFor();
  const generation = page.getByRole('row').getByRole('link', { name: 'gen_' });
  await generation.click();
  await page.waitForURL('**/#/runs/gen_*');
  await page.goBack();
  await page.getByText('The job is complete.').waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await desk.barriers()).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(desk.browser.complaints).toEqual([]);
}

export async function repeatsAndCompares(desk: PageDesk): Promise<void> {
  const client = createClient({ baseUrl: desk.api.url, apiKey: desk.api.key });
  const definition: NewPipeline = {
    input: { topic: {} },
    steps: {
      draft: step(quick('Draft: {{/input/topic}}')),
      edit: { ...step(quick('Edit: {{/input/topic}}')), needs: ['draft'] },
    },
  };
  const [older, other] = await Promise.all(
    ['buses', 'ferries'].map((topic) => client.jobs.run({ definition, input: { topic } })),
  );
  for (const job of [older, other]) {
    for await (const _event of client.jobs.follow(job?.id ?? '', { withText: false }));
  }
  const page = await desk.open('Jobs');
  await page.getByTitle(older?.id ?? '').click();
  await page.getByRole('button', { name: /^edit/ }).click();
  await page.getByRole('button', { name: 'Run again from here' }).click();
  expect(await desk.barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Start the job' }).click();
  await page.getByText('Repeats, from edit on').waitFor();
  await page.getByText('The job is complete.').waitFor();
  await page
    .getByRole('button', { name: /^draft/ })
    .getByText('reused')
    .waitFor();
  expect(page.url()).not.toContain(older?.id);

  const comparison = page.getByRole('region', { name: 'Compare', exact: true });
  expect(await comparison.getByLabel('With the job').inputValue()).toBe(older?.id);
  await comparison.getByLabel('With the job').fill(other?.id ?? '');
  await comparison.getByRole('button', { name: 'Compare' }).click();
  const texts = comparison.getByRole('region', { name: 'Texts of edit' });
  await texts.locator('ins').first().waitFor();
  const draft = comparison
    .getByRole('table', { name: 'Cost of both jobs' })
    .getByRole('row', { name: /^draft/ });
  await draft.getByText('differs').waitFor();
  expect(await draft.textContent()).toContain('reused');
  expect(await desk.barriers()).toEqual([]);
  expect(desk.browser.complaints).toEqual([]);
}

export async function isPausedResumedAndCancelled(desk: PageDesk): Promise<void> {
  const client = createClient({ baseUrl: desk.api.url, apiKey: desk.api.key });
  const definition: NewPipeline = { steps: { long: step(slow('A long story', 600, 100)) } };
  const { id } = await client.jobs.run({ definition });
  const page = await desk.open('Jobs');
  await page.getByTitle(id).click();
  await page.getByText('It runs: long.').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('It is paused: no further generation begins.').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('It runs: long.').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await desk.confirm('Cancel the job');
  await page.getByText('It was cancelled; what it had written is charged.').waitFor();
}
