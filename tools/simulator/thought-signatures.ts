/**
 * Signatures of thoughts, as vendors give them: opaque, and valid only for the account and the text that they were
 * given for. They need no state, so they outlive the process.
 */
import { createHmac } from 'node:crypto';

const SECRET = 'simulated';

/** @param account the API key that the thoughts were generated for. */
export function signThought(account: string, text: string): string {
  const digest = createHmac('sha256', SECRET)
    .update(JSON.stringify([account, text]))
    .digest('base64url');
  return Buffer.from(`sim1.${digest}`).toString('base64');
}

export function isSignatureOf(signature: string, account: string, text: string): boolean {
  return signature === signThought(account, text);
}

/** An encrypted text is bound to its account; it holds the text, which only the vendor would read. */
export function encryptThought(account: string, text: string): string {
  const digest = createHmac('sha256', SECRET)
    .update(JSON.stringify([account, text]))
    .digest('base64url');
  return Buffer.from(JSON.stringify({ text, digest })).toString('base64');
}

/** @returns the text; null where it was encrypted for another account, or changed. */
export function decryptThought(account: string, encrypted: string): string | null {
  try {
    const { text } = JSON.parse(Buffer.from(encrypted, 'base64').toString('utf8')) as { text: string };
    return encryptThought(account, text) === encrypted ? text : null;
  } catch {
    return null;
  }
}
