/** `unbroken open`: a link that signs in to the page, once. The key itself is in no address. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { type ClientOptions, requestJson } from '../../clients/typescript/unbroken-client.ts';
import type { SignInLink } from '../../contracts/keys.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { printJson } from './print-json.ts';

interface OpenFlags extends ConnectionFlags {
  readonly browser: boolean;
}

export function defineOpen(command: Command): void {
  withConnection(command)
    .option('--no-browser', 'print the link, and open nothing')
    .action(async (flags: OpenFlags) => {
      const link = await signInLink(connectionOf(flags));
      if (flags.json === true) {
        printJson(link);
        return;
      }
      console.log(link.url);
      console.error(`Valid once, until ${new Date(link.expiresAt).toLocaleTimeString()}.`);
      if (flags.browser && process.stdout.isTTY) openBrowser(link.url);
    });
}

/** Throws ClientError, ConnectionLostError. */
export async function signInLink(options: ClientOptions): Promise<{ url: string; expiresAt: number }> {
  const call = { method: 'POST', path: '/v1/session/links', body: {} } as const;
  const { path, expiresAt } = await requestJson<SignInLink>(options, call);
  return { url: `${options.baseUrl.replace(/\/+$/, '')}${path}`, expiresAt };
}

/** Without a desktop there is no browser to open, and the printed link is enough. */
function openBrowser(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const programs: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
    darwin: ['open'],
    win32: ['cmd', '/c', 'start', ''],
    linux: DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : [],
  };
  const [program, ...args] = programs[process.platform] ?? [];
  if (program === undefined) return;
  const opener = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  opener.once('error', (error) => console.error(`The browser did not open: ${error.message}`));
  opener.unref();
}
