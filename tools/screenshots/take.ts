/**
 * Takes the pictures of the page that README and docs show, from a product that runs: `npm start` in one terminal, then
 * `npx node tools/screenshots/take.ts` in another. It asks real questions, so each picture shows what a visitor would
 * see. With UNBROKEN_SIMULATOR_URL, the run in the timeline has a failed attempt.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parse } from 'yaml';
import { signInLink } from '../../bin/commands/open.ts';
import { createClient } from '../../clients/typescript/index.ts';
import { readClientEnvironment } from '../../platform/config/client-environment.ts';
import { findOrInstall } from '../services/programs/system-package.js';

const ASSETS = join(import.meta.dirname, '..', '..', 'docs', 'assets');
const ARTICLE = join(import.meta.dirname, '..', '..', 'examples', 'pipelines', 'article.yaml');
const MAX_BYTES = 200 * 1024;
const CHAT = '/v1/chat/completions';
const BATCH_LINES = 600;
const VIEWPORT = { width: 1280, height: 800 };
const CHROMIUM = {
  name: 'Chromium',
  programs: ['chromium', 'chromium-browser'],
  apt: 'chromium',
  others: { brew: 'chromium', dnf: 'chromium', apk: 'chromium' },
  instead: 'put chromium on PATH',
};
const QUESTIONS = [
  'Why does a reader never lose a token? Answer with a list and a table.',
  'How do I call it? Answer with code.',
];
/** Requests that fill the charts: questions, each asked of two models. */
const TOPICS = ['tides', 'bridges', 'bread', 'comets', 'violins', 'glaciers', 'maps', 'clocks'];

const environment = readClientEnvironment();
const connection = { baseUrl: environment.baseUrl, apiKey: environment.apiKey };
const report = (line: string) => process.stdout.write(`${line}\n`);

async function signedInPage(browser: Browser, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto((await signInLink(connection)).url);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  return page;
}

async function ask(page: Page, question: string, turn: number): Promise<void> {
  await page.getByLabel('Message').fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
  const reply = page.getByRole('article', { name: `Reply ${turn}` });
  await reply.locator('.facts').getByRole('link', { name: 'Timeline' }).waitFor({ timeout: 60_000 });
}

/** @param file below docs/assets */
async function take(page: Page, file: string): Promise<void> {
  await page.getByText(/^Loading /).waitFor({ state: 'detached' });
  await page.mouse.move(0, 0);
  const path = join(ASSETS, file);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
  report(`docs/assets/${file}: ${Math.round(size / 1024)} KB`);
}

/** Uses up its share of every chart: two models, a prompt with two versions, and questions that are asked again. */
async function fillCharts(): Promise<void> {
  const client = createClient(connection);
  const name = 'encyclopedia';
  const versions = ['Answer in four sentences, and begin with a definition.', 'Be brief.'];
  for (const system of versions) await client.prompts.addVersion(name, { system });
  // The second time, the cache answers.
  for (const topic of [...TOPICS, ...TOPICS]) {
    for (const [index, model] of ['simulated/sim-large', 'simulated/sim-small'].entries()) {
      const request = { input: `What should I know about ${topic}?`, model };
      const prompt = { name, version: 1 + index, variables: {} };
      for await (const _event of await client.generate({ ...request, prompt }));
    }
  }
}

async function takeChat(browser: Browser): Promise<void> {
  const page = await signedInPage(browser, 'light');
  for (const [index, question] of QUESTIONS.entries()) await ask(page, question, index + 1);
  await page.evaluate('scrollTo(0, 0)');
  await take(page, 'page-chat.png');
  await page.context().close();
}

async function takeTimeline(browser: Browser): Promise<void> {
  const simulator = process.env['UNBROKEN_SIMULATOR_URL'];
  if (simulator !== undefined) {
    const fault = { kind: 'in-band-error', afterTokens: 30 };
    const headers = { 'content-type': 'application/json' };
    await fetch(`${simulator}/_sim/faults`, { method: 'POST', headers, body: JSON.stringify(fault) });
  }
  const page = await signedInPage(browser, 'dark');
  await page.getByText('Options', { exact: true }).click();
  await page.getByRole('button', { name: 'Insert an example' }).click();
  const directive = '[[sim tool=get_weather say=24 delay_ms=20 first_ms=300]]';
  await ask(page, `What should I wear in Lisbon today? (${randomUUID().slice(0, 4)}) ${directive}`, 1);
  await page.getByRole('link', { name: 'Timeline' }).click();
  await page.getByRole('row').filter({ hasText: 'Charged' }).first().waitFor();
  await take(page, 'page-timeline.png');
  await page.context().close();
}

async function takeUsage(browser: Browser): Promise<void> {
  await fillCharts();
  const page = await signedInPage(browser, 'light');
  await page.getByRole('link', { name: 'Usage', exact: true }).click();
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor();
  await page.getByLabel('Period').selectOption('Last 7 days');
  await page.waitForLoadState('networkidle');
  await take(page, 'page-usage.png');
  await page.context().close();
}

async function takeJob(browser: Browser): Promise<void> {
  const client = createClient(connection);
  const { name: _name, ...definition } = parse(readFileSync(ARTICLE, 'utf8'));
  const { id } = await client.jobs.run({ definition, input: { brief: 'Trees along tram lines' } });
  for await (const _event of client.jobs.follow(id, { withText: false }));
  const page = await signedInPage(browser, 'light');
  await page.goto(`${environment.baseUrl}/#/jobs/${id}`);
  await page.getByText('The job is complete.').waitFor();
  await page.getByRole('button', { name: /^sections/ }).click();
  await page.getByRole('region', { name: 'Value' }).waitFor();
  await take(page, 'page-job.png');
  await page.context().close();
}

/** A batch of which a part has ended: its rate and its end are known. */
async function takeBatch(browser: Browser): Promise<void> {
  const openai = new OpenAI({
    baseURL: `${environment.baseUrl}/v1`,
    apiKey: String(environment.apiKey ?? ''),
  });
  const lines = Array.from({ length: BATCH_LINES }, (_, index) => {
    const content = `A slogan for product ${index + 1}. [[sim tokens=40 delay_ms=50]]`;
    const body = { model: 'unbroken', messages: [{ role: 'user', content }] };
    return JSON.stringify({ custom_id: `${index + 1}`, method: 'POST', url: CHAT, body });
  });
  const file = await toFile(Buffer.from(lines.join('\n')), 'slogans.jsonl');
  const { id: input } = await openai.files.create({ file, purpose: 'batch' });
  const batch = { input_file_id: input, endpoint: CHAT, completion_window: '24h' } as const;
  const { id } = await openai.batches.create(batch);
  const page = await signedInPage(browser, 'light');
  await page.goto(`${environment.baseUrl}/#/batches/${id}`);
  await page.getByText('the last one should end at about').waitFor({ timeout: 120_000 });
  await take(page, 'page-batch.png');
  await openai.batches.cancel(id);
  await page.context().close();
}

const executablePath = await findOrInstall(CHROMIUM, report);
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  await takeChat(browser);
  await takeTimeline(browser);
  await takeUsage(browser);
  await takeJob(browser);
  await takeBatch(browser);
} finally {
  await browser.close();
}
