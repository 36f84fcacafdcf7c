/** A job has ended with the document that the provider's answers make. */
import { type Fault, fault } from './fault.ts';

interface EndedJob {
  readonly id: string;
  readonly status: string;
  readonly document: string | null;
  readonly errorCode: string | null;
}

/** Without these, a job that failed has lost what it was for. */
const NEVER = /internal|log_tail_lost|input_lost|not_found/;

export function checkDocument({ id, status, document, errorCode }: EndedJob, expected: string): Fault[] {
  if (status === 'failed')
    return NEVER.test(errorCode ?? '') ? [fault('unexplained', id, `it failed with ${errorCode}`)] : [];
  if (status !== 'completed') return [fault('unended', id, `it is ${status}`)];
  if (document === null) return [fault('lost', id, 'it has no document')];
  return document === expected
    ? []
    : [fault('garbled', id, `${document.slice(0, 80)} ... is not ${expected.slice(0, 80)} ...`)];
}
