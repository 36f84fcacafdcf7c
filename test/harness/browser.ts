/** A real Chromium: the system's, installed where it is missing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { findOrInstall, type SystemPackage } from '../../tools/services/programs/system-package.js';

/** Installing it can take this long. */
export const BROWSER_WITHIN_MS = 6 * 60_000;

const CHROMIUM: SystemPackage = {
  name: 'Chromium',
  programs: ['chromium', 'chromium-browser'],
  apt: 'chromium',
  others: { brew: 'chromium', dnf: 'chromium', apk: 'chromium' },
  instead: 'put chromium on PATH',
};
/** How long a test waits for what a page should show: what a busy machine may need. */
const PATIENCE_MS = 120_000;
const report = (line: string) => process.stderr.write(`${line}\n`);

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--renderer-process-limit=1',
];

export interface Browser {
  readonly context: BrowserContext;
  /** What pages wrote on their consoles as errors; a page that breaks its security policy does. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = await findOrInstall(CHROMIUM, report);
  const profile = mkdtempSync(join(tmpdir(), 'unbroken-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: FLAGS,
    // A cursor that blinks is painted sixty times a second, without a graphics card by the processor.
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  return {
    context,
    complaints,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
