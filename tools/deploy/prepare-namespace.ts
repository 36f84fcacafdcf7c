/** Runs once per deployment: adds our search attributes to Temporal, and exits when they can be used. */
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../../platform/config/load-config.ts';
import { checkNamespace } from '../services/temporal-namespace.ts';

const POLL_MS = 500;
const DEADLINE_MS = 60_000;

const { temporal } = loadConfig();
const deadline = Date.now() + DEADLINE_MS;
while (!(await checkNamespace(temporal, temporal.namespace))) {
  if (Date.now() > deadline)
    throw new Error(`The search attributes are not visible after ${DEADLINE_MS} ms.`);
  await pause(POLL_MS);
}
