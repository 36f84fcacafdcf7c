/**
 * Creates the log of a generation and starts its run. Both are identified by the same id, so both can be repeated: a
 * request that is sent again with its key joins the generation that it started.
 */
import assert from 'node:assert/strict';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import { textDeltas } from '../../contracts/fold-events.ts';
import type {
  Candidate,
  ContinuedText,
  GenerationInput,
  GenerationOrder,
} from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { leastOutputTokens, worstSentTokens } from '../../contracts/tokens.ts';
import { costOf } from '../../engine/models/price.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { budgetExceeded } from './budget-exceeded.ts';
import { buildOrder, type PreparedGeneration } from './build-order.ts';
import { isUnstored } from './find-generation.ts';
import type { SummaryRun } from './fit-context.ts';
import { startRun } from './start-run.ts';

/** A generation whose log exists. */
export interface Submitted {
  readonly generationId: string;
  /** Resolves when its run has started. Only then may a response say that the generation was accepted. */
  readonly started: Promise<void>;
}

/** What starting a generation needs. */
export type StartDependencies = Pick<
  ApiDependencies,
  'budget' | 'config' | 'countTexts' | 'handoff' | 'log' | 'logger' | 'stored' | 'temporal'
>;

/** Refuses a spent budget, creates the log and starts the run. A repeated call repeats none of these. */
export async function startGeneration(
  dependencies: StartDependencies,
  caller: Caller,
  prepared: PreparedGeneration,
): Promise<Submitted> {
  return new GenerationStart(dependencies, caller, prepared).start();
}

/**
 * The same without the start, for a workflow that starts the run as its child.
 * @returns null if the generation has ended.
 */
export async function orderStart(
  dependencies: StartDependencies,
  caller: Caller,
  prepared: PreparedGeneration,
): Promise<GenerationOrder | null> {
  return new GenerationStart(dependencies, caller, prepared).order();
}

/** @throws idempotency_conflict */
export function assertSameRequest(
  { requestHash }: { readonly requestHash: string },
  expectedHash: string,
): void {
  if (requestHash !== expectedHash) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
  }
}

interface LogToFill {
  readonly input: GenerationInput;
  /** Whether this request has created the log. */
  readonly isNew: boolean;
  /** Absent while the log is being created under a unique id. */
  readonly createdAtMs?: number;
  readonly created?: Promise<unknown>;
}

class GenerationStart {
  readonly #dependencies: StartDependencies;
  readonly #caller: Caller;
  readonly #prepared: PreparedGeneration;

  constructor(dependencies: StartDependencies, caller: Caller, prepared: PreparedGeneration) {
    assert(!prepared.isUnique || prepared.known === null, 'a unique id has no earlier log');
    this.#dependencies = dependencies;
    this.#caller = caller;
    this.#prepared = prepared;
  }

  async start(): Promise<Submitted> {
    const { inputJson, counted } = await this.#admit();
    return this.#prepared.isUnique
      ? this.#createUnique(inputJson, counted)
      : this.#createOrJoin(inputJson, counted);
  }

  async order(): Promise<GenerationOrder | null> {
    const { inputJson, counted } = await this.#admit();
    const { input, createdAt, hasEnded } = await this.#openLog(inputJson, counted);
    return hasEnded ? null : this.#orderOf(input, createdAt);
  }

  async #admit(): Promise<{ readonly inputJson: string; readonly counted: Counted }> {
    const { known, input } = this.#prepared;
    if (this.#caller.onlyReads === true) {
      throw new UnbrokenError('forbidden', 'A ticket opens streams; starting a generation takes a key.');
    }
    if (known?.erased === true) {
      throw new UnbrokenError('idempotency_conflict', 'The generation of this Idempotency-Key was deleted.');
    }
    const inputJson = JSON.stringify(input);
    const inputBytes = Buffer.byteLength(inputJson);
    const { bodyBytes } = this.#dependencies.config.http;
    if (inputBytes > bodyBytes) throw inputTooLarge(inputBytes, bodyBytes);
    return { inputJson, counted: known === null ? await this.#admitNew(inputBytes) : undefined };
  }

  /** Checks the budget and counts the stored bytes of a generation without a log. */
  async #admitNew(inputBytes: number) {
    const { metadata, origin = null } = this.#prepared;
    await this.#refuseSpentBudget();
    const besideBytes = Buffer.byteLength(JSON.stringify([metadata, origin]));
    return this.#dependencies.stored.takeInput(this.#caller.tenant, inputBytes + besideBytes);
  }

  /** A check without a reservation, which the workflow makes: it avoids starting the run of a caller without budget. */
  async #refuseSpentBudget(): Promise<void> {
    const { budget, countTexts } = this.#dependencies;
    const { user, input, sent = input, answers = 1, chosen } = this.#prepared;
    const neededTokens = async () =>
      answers * ((await worstSentTokens(sent, countTexts)) + leastOutputTokens(input.maxOutputTokens));
    const isFree = [...chosen.candidates, ...(chosen.plan.onContextLength ?? [])].every((candidate) =>
      this.#isFree(candidate),
    );
    const refusal = await budget.look({ ...this.#caller, user }, { neededTokens, isFree });
    if (refusal !== null) throw budgetExceeded(refusal);
  }

  /** A model without a known price costs nothing here, but something at its vendor. */
  #isFree({ provider, model }: Candidate): boolean {
    const { prices, providers } = this.#dependencies.config;
    const { costMicroUsd, isKnown } = costOf(
      { provider, model, pricedAs: providers[provider]?.pricedAs },
      { ...NO_USAGE, inputTokens: 1_000_000, outputTokens: 1_000_000 },
      prices,
    );
    return isKnown && costMicroUsd === 0;
  }

  /** One round trip: Redis creates the log before it offers the run, as both use one connection. */
  async #createUnique(inputJson: string, counted: Counted): Promise<Submitted> {
    const { generationId, input } = this.#prepared;
    const created = this.#dependencies.log.create(this.#creation(inputJson, counted));
    const started = this.#startRun({ input, isNew: true, created });
    await created;
    return { generationId, started };
  }

  async #createOrJoin(inputJson: string, counted: Counted): Promise<Submitted> {
    const { generationId } = this.#prepared;
    const { input, isNew, createdAt, hasEnded } = await this.#openLog(inputJson, counted);
    if (hasEnded) return { generationId, started: Promise.resolve() };
    return { generationId, started: this.#startRun({ input, isNew, createdAtMs: createdAt }) };
  }

  /** Creates the log, or finds the one of an earlier request with the same key. @throws idempotency_conflict */
  async #openLog(inputJson: string, counted: Counted) {
    const { log, stored } = this.#dependencies;
    const { generationId, known, requestHash } = this.#prepared;
    const { created: isNew, createdAt, ...rest } = await log.create(this.#creation(inputJson, counted));
    if (!isNew && counted !== undefined) await stored.dropInput(this.#caller.tenant, counted);
    assertSameRequest(rest, requestHash);
    // If the earlier log expired before this creation, its status says nothing about the log that exists now.
    const isKnown = known?.createdAt === createdAt;
    const hasEnded = isKnown && known.status !== 'running';
    if (hasEnded) return { input: this.#prepared.input, isNew, createdAt, hasEnded };
    // A concurrent request with the same key may have created the log: its input counts.
    const input = isNew
      ? this.#prepared.input
      : ((await log.readInput(generationId)) ?? this.#prepared.input);
    if (input.continues !== undefined) {
      await log.appendOnce(generationId, 'continue', replayOf(input.continues));
    }
    return { input, isNew, createdAt, hasEnded };
  }

  #orderOf(input: GenerationInput, logCreatedAtMs: number | undefined): GenerationOrder {
    const limitMs = this.#dependencies.config.limits.generationMs;
    return buildOrder({ caller: this.#caller, prepared: this.#prepared, input, logCreatedAtMs, limitMs });
  }

  #creation(inputJson: string, counted: Counted) {
    const { generationId, isUnique, user, route, requestHash, metadata, input, origin, keptMs } =
      this.#prepared;
    const { tenant } = this.#caller;
    const identity = { generationId, isUnique, tenant, user, route, requestHash };
    return { ...identity, metadata, inputJson, counted, input, origin, keptMs };
  }

  /** Resolves when the run is started. The caller may ignore the promise. */
  #startRun({ input, isNew, createdAtMs, created = Promise.resolve() }: LogToFill): Promise<void> {
    const { logger } = this.#dependencies;
    const { generationId, route, priority, summary } = this.#prepared;
    const order = this.#orderOf(input, createdAtMs);
    const start = (whole: GenerationOrder) =>
      startRun(this.#dependencies, {
        order: whole,
        priorityKey: priority,
        isNew,
        input: isNew && input.continues === undefined ? input : undefined,
        logCreated: created,
      });
    const running =
      summary === undefined || input.compaction === undefined
        ? start(order)
        : this.#orderSummary(summary).then((compaction) => start({ ...order, compaction }));
    const started = running.then(() => logger.info({ generationId, route }, 'generation accepted'));
    // A caller that awaits `started` gets the error; without one it would be an unhandled rejection.
    started.catch(() => undefined);
    return started;
  }

  /** Creates the log of the generation that this one waits for; the run of this one starts that of the other. */
  async #orderSummary({ generationId, input, chosen }: SummaryRun): Promise<GenerationOrder> {
    const { log, stored, config } = this.#dependencies;
    const { summary: _, keptMs: __, ...prepared } = this.#prepared;
    const run = { ...prepared, generationId, input, chosen, metadata: {}, cache: 'off' as const };
    const inputJson = JSON.stringify(input);
    const counted = await stored.takeInput(this.#caller.tenant, Buffer.byteLength(inputJson));
    const store = isUnstored(prepared) ? { origin: { store: false } } : { origin: undefined };
    const { tenant } = this.#caller;
    const { user, route, requestHash } = prepared;
    const identity = { generationId, tenant, user, route, requestHash, metadata: {} };
    const created = await log.create({ ...identity, inputJson, counted, input, ...store });
    if (!created.created) await stored.dropInput(tenant, counted);
    const logCreatedAtMs = created.createdAt;
    const limitMs = config.limits.generationMs;
    const order = buildOrder({ caller: this.#caller, prepared: run, input, logCreatedAtMs, limitMs });
    return { ...order, isPart: true };
  }
}

type Counted = Awaited<ReturnType<ApiDependencies['stored']['takeInput']>> | undefined;

function inputTooLarge(inputBytes: number, most: number): UnbrokenError {
  return new UnbrokenError(
    'body_too_large',
    `The input, with its prompt and the conversation before it, has ${inputBytes} bytes of at most ${most}; the setting is http.bodyBytes.`,
  );
}

/** The text of the continued answer as the first events of this log: a reader gets one text. */
function replayOf({ generationId, text }: ContinuedText): readonly EventBody[] {
  // One append must hold all deltas, so their length depends on that of the text, which the input limits.
  const chars = Math.max(4_096, Math.ceil(text.length / (LIMITS.eventsPerAppend - 2)));
  return [{ type: 'generation-continue', generationId, chars: text.length }, ...textDeltas(text, chars)];
}
