/**
 * Searches the runs of a tenant in Temporal's visibility store, in pages. Running ones come first, then those that
 * ended last: Temporal has no other order.
 *
 * Its page token is a place in that order. A run that ends between two pages moves from the running ones to the ended
 * ones and would be listed again, so the cursor says which running ones were listed.
 */
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { parseCandidate } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationFilter } from '../../contracts/generation-search.ts';
import { WORKFLOW_TYPE } from '../../contracts/names.ts';
import { DAY_MS } from '../../contracts/time.ts';
import { temporalUnavailable } from './if-run-exists.ts';

/** Temporal's client would retry a search for longer than a caller waits. */
const SEARCH_MS = 10_000;

/** Temporal's page token: a place, as JSON. Temporal reports one that it cannot read as an outage. */
const tokenSchema = z.record(z.string(), z.union([z.string(), z.array(z.unknown())]));

const cursorSchema = z.object({
  token: z.base64().refine(isToken),
  /** When the first page was read: later runs are on no page. */
  asOfMs: z.int().nonnegative(),
  /** The last running run so far, and when it started, in ns; null once an ended one was listed. */
  running: z.object({ workflowId: z.string(), startedAtNs: z.string().regex(/^\d{1,20}$/) }).nullable(),
});
type Cursor = z.infer<typeof cursorSchema>;

interface Run {
  readonly workflowId: string;
  readonly startedAtNs: bigint;
  readonly isRunning: boolean;
}

interface RunSearch {
  readonly tenant: string;
  readonly filter: Omit<GenerationFilter, 'after'>;
  readonly limit: number;
  readonly after: string | undefined;
}

/** @returns the ids of the generations. @throws invalid_request for a cursor that is none, service_unavailable */
export async function searchRuns(
  temporal: Client,
  { tenant, filter, limit, after }: RunSearch,
): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
  const cursor = after === undefined ? null : parseCursor(after);
  const asOfMs = cursor?.asOfMs ?? Date.now();
  const { runs, token } = await listRuns(temporal, {
    query: queryOf(tenant, filter, asOfMs),
    pageSize: limit,
    token: cursor?.token ?? '',
  });
  const listed = runs.filter((run) => !wasListed(run, cursor));
  const ids = new Set(listed.map(({ workflowId }) => workflowId.slice(tenant.length + 1)));
  const last = runs.at(-1);
  if (token === '' || last === undefined) return { ids: [...ids], next: null };
  const { workflowId, startedAtNs, isRunning } = last;
  const running = isRunning ? { workflowId, startedAtNs: String(startedAtNs) } : null;
  return { ids: [...ids], next: toText({ token, asOfMs, running }) };
}

/** True if it was on an earlier page, as a running one. The newest of those are listed first. */
function wasListed({ workflowId, isRunning, startedAtNs }: Run, cursor: Cursor | null): boolean {
  if (cursor === null || cursor.running === null || isRunning) return false;
  return startedAtNs > BigInt(cursor.running.startedAtNs) || workflowId === cursor.running.workflowId;
}

async function listRuns(
  { connection, workflowService, options }: Client,
  { query, pageSize, token }: { readonly query: string; readonly pageSize: number; readonly token: string },
): Promise<{ readonly runs: readonly Run[]; readonly token: string }> {
  const nextPageToken = Buffer.from(token, 'base64');
  const request = { namespace: options.namespace, query, pageSize, nextPageToken };
  try {
    const page = await connection.withDeadline(Date.now() + SEARCH_MS, () =>
      workflowService.listWorkflowExecutions(request),
    );
    const runs = page.executions.map(({ execution, startTime, closeTime }) => ({
      workflowId: execution?.workflowId ?? '',
      startedAtNs: BigInt(String(startTime?.seconds ?? 0)) * 1_000_000_000n + BigInt(startTime?.nanos ?? 0),
      isRunning: closeTime == null,
    }));
    return { runs, token: Buffer.from(page.nextPageToken).toString('base64') };
  } catch (error) {
    throw temporalUnavailable(error);
  }
}

/** In Temporal's query language. The schema of the filter allows no character that could end a quoted name. */
function queryOf(tenant: string, filter: RunSearch['filter'], asOfMs: number): string {
  const { user, status, model, prompt, from, until } = filter;
  const latestMs = until === undefined ? asOfMs : Math.min(asOfMs, endOf(until));
  return [
    `WorkflowType = "${WORKFLOW_TYPE}"`,
    `UnbrokenTenant = "${tenant}"`,
    ...(user === undefined ? [] : [`UnbrokenUser = "${user}"`]),
    ...(status === undefined ? [] : [`UnbrokenStatus = "${status}"`]),
    // A run that was ended by hand keeps the status that it had.
    ...(status === 'running' ? ['ExecutionStatus = "Running"'] : []),
    ...(model === undefined ? [] : [modelQuery(model)]),
    ...(prompt === undefined ? [] : [promptQuery(prompt)]),
    ...(from === undefined ? [] : [`StartTime >= "${new Date(from).toISOString()}"`]),
    `StartTime <= "${new Date(latestMs).toISOString()}"`,
  ].join(' AND ');
}

/** A model's own name may have slashes, so a name with one may be meant either way. */
function modelQuery(name: string): string {
  const candidate = parseCandidate(name);
  const alone = `UnbrokenModel = "${name}"`;
  if (candidate === null) return alone;
  const { provider, model } = candidate;
  return `((UnbrokenProvider = "${provider}" AND UnbrokenModel = "${model}") OR ${alone})`;
}

function promptQuery(prompt: string): string {
  return prompt.includes('@')
    ? `UnbrokenPromptVersion = "${prompt}"`
    : `UnbrokenPromptVersion STARTS_WITH "${prompt}@"`;
}

/** The last ms of a day, or the time itself. */
function endOf(moment: string): number {
  const ms = Date.parse(moment);
  return moment.includes('T') ? ms : ms + DAY_MS - 1;
}

function toText(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function isToken(token: string): boolean {
  try {
    return tokenSchema.safeParse(JSON.parse(Buffer.from(token, 'base64').toString())).success;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function parseCursor(text: string): Cursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (error) {
    throw invalidCursor(error);
  }
}

function invalidCursor(cause?: unknown): UnbrokenError {
  const message = 'after: expected the "next" of the page before.';
  return new UnbrokenError('invalid_request', message, { cause });
}
