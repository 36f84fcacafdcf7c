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

export interface ConnectionFlags {
  readonly url?: string;
  readonly key?: string;
  readonly wait: string;
}

/** Gives a command the options that every one has which talks to the API. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'the API; default: UNBROKEN_URL or http://127.0.0.1:8787')
    .option('--key <key>', 'default: UNBROKEN_API_KEY or .unbroken/dev-key')
    .option('--wait <seconds>', 'how long to try while nothing answers', '10');
}

export function connect(flags: ConnectionFlags): UnbrokenClient {
  return createClient(connectionOf(flags));
}

export function connectionOf(flags: ConnectionFlags): ClientOptions {
  const environment = readClientEnvironment();
  let told = false;
  return {
    baseUrl: flags.url ?? environment.baseUrl,
    apiKey: flags.key ?? environment.apiKey,
    requestGiveUpAfterMs: Number(flags.wait) * 1_000,
    onRetry: ({ cause }) => {
      if (!told) console.error(`No answer yet (${reasonOf(cause)}); trying again for ${flags.wait} s.`);
      told = true;
    },
    onReconnect: ({ cause, delayMs, after }) => {
      if (delayMs > 0) console.error(`\n[reconnecting after seq ${after}: ${reasonOf(cause)}]`);
    },
  };
}

/** Says what failed and what to do. Exit codes: 1 refused or failed, 2 unreachable, 3 the stream is not intact. */
export function reportFailure(error: unknown): number {
  if (error instanceof ClientError) {
    console.error(`${error.code}: ${error.message}`);
    if (isErrorCode(error.code)) console.error(ERRORS[error.code].fix);
    return 1;
  }
  if (error instanceof ConnectionLostError) {
    console.error(`unreachable: ${error.message}\nStart it with npm start, or name it with --url.`);
    return 2;
  }
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return error instanceof StreamIntegrityError ? 3 : 1;
}
