/** What a vendor refuses. Each rule names its source, and is written from it and not from our adapters. */
import type { IncomingHttpHeaders } from 'node:http';

export interface VendorRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The key of the caller; it stands for its account. */
  readonly apiKey: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether the response with this id can be continued. */
  readonly hasResponse: (id: string) => boolean;
}

export interface Problem {
  readonly message: string;
  /** Absent: 400. */
  readonly status?: number;
  /** The field, where the vendor names it apart from the message. */
  readonly param?: string;
  readonly code?: string;
}

export interface Rule {
  readonly name: string;
  /** Documentation of the vendor, or a public report that quotes its answer. */
  readonly source: string;
  readonly find: (request: VendorRequest) => Problem | null;
}

export interface Refusal {
  readonly rule: string;
  readonly status: number;
  readonly body: object;
}

/** @returns what the first rule finds that finds something; null for a request that the vendor accepts. */
export function refuse(
  rules: readonly Rule[],
  request: VendorRequest,
  bodyOf: (status: number, problem: Problem) => object,
): Refusal | null {
  for (const { name, find } of rules) {
    const problem = find(request);
    if (problem === null) continue;
    const status = problem.status ?? 400;
    return { rule: name, status, body: bodyOf(status, problem) };
  }
  return null;
}

/** The first problem of several checks. */
export function firstProblem<Item>(
  items: Iterable<Item>,
  find: (item: Item) => Problem | null,
): Problem | null {
  for (const item of items) {
    const problem = find(item);
    if (problem !== null) return problem;
  }
  return null;
}
