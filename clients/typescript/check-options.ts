/** Checks what a caller passes before the first attempt: no retry changes it. */
import { UnusableOptionError } from './errors.ts';

/** Printable ASCII and what Latin-1 adds to it: no header can have more. */
const OUTSIDE_HEADER = /[^\x20-\x7e\xa0-\xff]/;

interface Address {
  readonly baseUrl: string;
  /** One of the caller may take any address. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The address without a slash at its end. Throws UnusableOptionError. */
export function baseOf({ baseUrl, fetch }: Address): string {
  const base = baseUrl.replace(/\/+$/, '');
  if (fetch === undefined && !isHttp(base)) {
    const message = `baseUrl: expected an address such as http://127.0.0.1:8787, got ${JSON.stringify(baseUrl)}`;
    throw new UnusableOptionError(message);
  }
  return base;
}

/** A page may leave its own address out. */
function isHttp(base: string): boolean {
  try {
    return /^https?:$/.test(new URL(base).protocol);
  } catch {
    return 'location' in globalThis;
  }
}

/** The value of a header, without white space around it. The message does not quote it. Throws UnusableOptionError. */
export function headerValue(option: string, value: string): string {
  const sent = value.trim();
  const [wrong] = OUTSIDE_HEADER.exec(sent) ?? [];
  if (wrong === undefined) return sent;
  const where = `the character at index ${sent.indexOf(wrong)}`;
  throw new UnusableOptionError(`${option}: ${where} (${JSON.stringify(wrong)}) cannot be sent in a header`);
}
