/**
 * Histories as files. The SDK's own JSON of a history fails where npm installs several copies of protobufjs (it tests
 * `instanceof` across them), so the objects are kept as they are, with bytes and 64-bit numbers marked.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils.js';

const FOLDER = join(import.meta.dirname, 'histories');
const ENDING = '.history.json';
const pathOf = (name: string) => join(FOLDER, `${name}${ENDING}`);

export function recordedNames(): string[] {
  return readdirSync(FOLDER).map((file) => file.slice(0, -ENDING.length));
}

/** @throws if this name has a history already */
export function writeHistory(name: string, history: History): void {
  writeFileSync(pathOf(name), `${JSON.stringify(toPlain(history), null, 1)}\n`, { flag: 'wx' });
}

export function readHistory(name: string): History {
  return JSON.parse(readFileSync(pathOf(name), 'utf8'), (_, value: unknown) =>
    typeof value === 'object' && value !== null && '$bytes' in value
      ? new Uint8Array(Buffer.from(String(value.$bytes), 'base64'))
      : value,
  );
}

/** Walks own properties, because the `toJSON` of protobuf objects would turn enums and numbers into strings. */
function toPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toPlain);
  // A sticky queue is named after its worker: process@machine-queue.
  if (typeof value === 'string') return value.replace(/^\d+@[\w.]+-/, 'recorder-');
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  // Who made the history, and where its code lay, is of no use to a replay, and names a machine.
  const namesMachine = (key: string) => key === 'identity' || key === 'stackTrace';
  return Object.fromEntries(
    fields.map(([key, field]) => [key, namesMachine(key) ? 'not recorded' : toPlain(field)]),
  );
}
