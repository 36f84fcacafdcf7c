/** How a command reaches the API, and what it prints when that fails. */
import type { Command } from 'commander';
import { ConnectionLostError, reasonOf } from '../../clients/typescript/errors.ts';
import {
  ClientError,
  type ClientOptions,
  createClient,
  StreamIntegrityError,
  type UnbrokenClient,
} from '../../clients/typescript/index.ts';
import { ERRORS, isErrorCode } from '../../contracts/errors.ts';
import { readClientEnvironment } from '../../platform/config/client-environment.ts';
import { START_COMMAND } from '../../platform/on-disk.ts';
import { numeric } from './numeric.ts';
import { type JsonFlag, withJson } from './print-json.ts';

export interface ConnectionFlags extends JsonFlag {
  readonly url?: string;
  readonly key?: string;
  readonly wait: string;
}

/** Adds the options of every command that talks to the API. */
export function withConnection(command: Command): Command {
  return withJson(command)
    .option('--url <url>', 'the API; default: UNBROKEN_URL or http://127.0.0.1:8787')
    .option('--key <key>', 'default: UNBROKEN_API_KEY or .unbroken/dev-key')
    .option('--wait <seconds>', 'how long to retry while the API does not answer', numeric, '10');
}

export function connect(flags: ConnectionFlags): UnbrokenClient {
  return createClient(connectionOf(flags));
}

export function connectionOf(flags: ConnectionFlags): ClientOptions {
  const environment = readClientEnvironment();
  let isReported = false;
  return {
    baseUrl: flags.url ?? environment.baseUrl,
    apiKey: flags.key ?? environment.apiKey,
    requestGiveUpAfterMs: Number(flags.wait) * 1_000,
    onRetry: ({ cause }) => {
      if (!isReported) console.error(`No answer yet (${reasonOf(cause)}); retrying for ${flags.wait} s.`);
      isReported = true;
    },
    onReconnect: ({ cause, delayMs, after }) => {
      if (delayMs > 0) console.error(`\n[reconnecting after seq ${after}: ${reasonOf(cause)}]`);
    },
  };
}

/** Prints what failed and what to do. Exit codes: 1 refused or failed, 2 unreachable, 3 the stream is not intact. */
export function reportFailure(error: unknown): number {
  if (error instanceof ClientError) {
    console.error(`${error.code}: ${error.message}`);
    if (isErrorCode(error.code)) console.error(ERRORS[error.code].fix);
    return 1;
  }
  if (error instanceof ConnectionLostError) {
    console.error(`unreachable: ${error.message}\nStart it with ${START_COMMAND}, or name it with --url.`);
    return 2;
  }
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return error instanceof StreamIntegrityError ? 3 : 1;
}
