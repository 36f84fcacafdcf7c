/**
 * Makes a conversation fit before anything is spent: plans the summary of its older turns, leaves out its beginning, or
 * refuses it, as its request says. Source: OpenAI's `context_management` and `truncation`.
 */
import { compactionsIn } from '../../contracts/compaction.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationInput, GenerationRequest, Message } from '../../contracts/generation.ts';
import {
  boundInputTokens,
  boundMessageTokens,
  countedInputTokens,
  countedTextTokens,
  mostInputTokens,
} from '../../contracts/tokens.ts';
import {
  type CompactedContext,
  isInstruction,
  withCompaction,
  withCompactions,
} from '../../engine/compaction/compacted-context.ts';
import { openCompactions } from '../../engine/compaction/compaction-seals.ts';
import { omittedToFit, withoutFirst } from '../../engine/compaction/fit-window.ts';
import { summaryInput, summaryWords, tailStart } from '../../engine/compaction/plan-compaction.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Asker, RouteChoice } from './choose-route.ts';
import { compactionIdOf } from './generation-id.ts';

/** A conversation is compacted at this share of the window unless its request says at which size. */
const COMPACT_AT = 0.8;
/** The same where the window is not known. */
const COMPACT_AT_TOKENS = 200_000;
/** Less than this share of the threshold is not worth a summary: the next turn would need another. */
const LEAST_SHARE = 1 / 4;
/** What the output may take of the window: of a cap in the request, and of a default. */
const MOST_OF_WINDOW = { request: 1 / 2, default: 1 / 8 } as const;
/** A word of a summary, and the space after it: an upper figure for English. */
const CHARS_PER_WORD = 8;

/** What the request says about its context. */
interface ContextSettings {
  /** Tokens from which on it is compacted; null: where it is nearly as large as the window. Absent: never. */
  readonly compactAt?: number | null | undefined;
  /** Whether an input that is too large for every model is refused before any is called. */
  readonly isChecked: boolean;
}

/** A generation that writes the summary for another one. */
export interface SummaryRun {
  readonly generationId: string;
  readonly input: GenerationInput;
  readonly chosen: RouteChoice;
}

export interface FittedContext {
  /** As it is stored. */
  readonly input: GenerationInput;
  /** As a model reads it. */
  readonly sent: GenerationInput;
  readonly chosen: RouteChoice;
  readonly summary?: SummaryRun;
}

interface Fitted {
  readonly request: Pick<GenerationRequest, 'route' | 'model' | 'task'>;
  readonly input: GenerationInput;
  /** As an earlier request with the same key has stored it: then it was fitted. */
  readonly isStored: boolean;
  readonly asker: Asker;
  readonly settings: ContextSettings;
}

type Fitting = Pick<ApiDependencies, 'compactions' | 'config' | 'countTexts' | 'routes'>;

/** @throws context_length_exceeded, invalid_request, and what choosing the models throws. */
export async function fitContext(dependencies: Fitting, fitted: Fitted): Promise<FittedContext> {
  return new ContextFit(dependencies, fitted).fit();
}

/** What the compactions of a client stand for. @throws invalid_request for one of another tenant, or changed */
export async function openOwnCompactions(
  { compactions }: Pick<ApiDependencies, 'compactions'>,
  tenant: string,
  messages: readonly Message[],
): Promise<Opened> {
  const opened = await openCompactions(compactions, tenant, messages);
  if (opened !== null) return opened;
  const message =
    'input: the encrypted content of a compaction could not be verified. Send it back as it was returned, with a key of the same tenant.';
  throw new UnbrokenError('invalid_request', message, { details: { param: 'input' } });
}

class ContextFit {
  readonly #dependencies: Fitting;
  readonly #fitted: Fitted;

  constructor(dependencies: Fitting, fitted: Fitted) {
    this.#dependencies = dependencies;
    this.#fitted = fitted;
  }

  async fit(): Promise<FittedContext> {
    const { input, isStored, settings } = this.#fitted;
    const { compactAt } = settings;
    const hasCompactions = compactionsIn(input.messages).length > 0;
    const opened = hasCompactions ? await this.#open(input.messages) : NOTHING_OPENED;
    const sent = sentOf(input, opened);
    const chosen = this.#choose(sent);
    if (isStored) return this.#withSummary({ input, sent, chosen }, opened);
    const planned = compactAt === undefined ? null : await this.#plan(sent, chosen, opened);
    if (planned !== null) return this.#withSummary(this.#chosenFor(planned, opened), opened);
    const omitted = await this.#omitted(sent, chosen);
    if (omitted === 0) return { input, sent, chosen };
    return this.#chosenFor({ ...input, omittedMessages: omitted }, opened);
  }

  #chosenFor(input: GenerationInput, opened: Opened): FittedContext {
    const sent = sentOf(input, opened);
    return { input, sent, chosen: this.#choose(sent) };
  }

  async #withSummary(fitted: FittedContext, opened: Opened): Promise<FittedContext> {
    if (fitted.input.compaction === undefined) return fitted;
    return { ...fitted, summary: await this.#summaryRun(fitted.input, opened) };
  }

  #choose(sent: GenerationInput): RouteChoice {
    return this.#dependencies.routes.choose(this.#fitted.request, sent, this.#fitted.asker);
  }

  #open(messages: readonly Message[]): Promise<Opened> {
    return openOwnCompactions(this.#dependencies, this.#fitted.asker.tenant, messages);
  }

  /** @returns the input with what is to be summarised; null if it is small enough, or too little of it is old. */
  async #plan(sent: GenerationInput, chosen: RouteChoice, opened: Opened): Promise<GenerationInput | null> {
    const { countTexts } = this.#dependencies;
    const { input, settings, asker } = this.#fitted;
    const [window] = chosen.plan.contextTokens;
    const ofWindow = window == null ? COMPACT_AT_TOKENS : Math.floor(window * COMPACT_AT);
    const threshold = settings.compactAt ?? ofWindow;
    if (mostInputTokens(sent) <= threshold) return null;
    if ((await countedInputTokens(sent, countTexts)) <= threshold) return null;
    const from = tailStart(input.messages);
    // The tail is kept as it is: a compaction in it stands for all that comes before.
    if (from === 0 || compactionsIn(input.messages.slice(from)).length > 0) return null;
    const older = withCompactions(input.messages.slice(0, from), opened);
    const turns = older.filter((message) => !isInstruction(message));
    const tokens = await boundMessageTokens(turns, countTexts);
    if (tokens.reduce((sum, own) => sum + own, 0) < threshold * LEAST_SHARE) return null;
    const generationId = compactionIdOf(asker.seed);
    return { ...input, compaction: { generationId, from, words: summaryWords(threshold) } };
  }

  /** What does not fit into the window of the model that summarises is left out of its input. */
  async #summaryRun({ compaction, ...input }: GenerationInput, opened: Opened): Promise<SummaryRun> {
    const { generationId = '', from = 0, words = 0 } = compaction ?? {};
    const { defaultMaxOutputTokens: maxOutputTokens } = this.#dependencies.config.limits;
    const older = input.messages.slice(0, from);
    const whole = summaryInput({ ...input, maxOutputTokens }, older, words);
    const sent = sentOf(whole, opened);
    const chosen = this.#choose(sent);
    const [window] = chosen.plan.contextTokens;
    const omitted = window == null ? 0 : ((await this.#omittedFor(sent, window)) ?? 0);
    return {
      generationId,
      input: omitted === 0 ? whole : { ...whole, omittedMessages: omitted },
      chosen,
    };
  }

  /** @throws context_length_exceeded where all windows are known and none is large enough. */
  async #omitted(sent: GenerationInput, { plan }: RouteChoice): Promise<number> {
    if (!this.#fitted.settings.isChecked) return 0;
    const isAuto = sent.native?.fields['truncation'] === 'auto';
    const larger = plan.onContextLength.map(({ contextTokens }) => contextTokens);
    const windows = isAuto ? plan.contextTokens.slice(0, 1) : [...plan.contextTokens, ...larger];
    const known = windows.filter((window) => window !== null);
    if (known.length === 0 || known.length < windows.length) return 0;
    const window = Math.max(...known);
    if (!isAuto) {
      if (mostInputTokens(sent) <= window) return 0;
      const tokens = await countedTextTokens(sent, this.#dependencies.countTexts);
      if (tokens > window) throw tooLong(`It has ${tokens} tokens of at most ${window}.`);
      return 0;
    }
    const omitted = await this.#omittedFor(sent, window);
    if (omitted === null) {
      throw tooLong(`Its instructions and its last turn alone are too large for ${window} tokens.`);
    }
    return omitted;
  }

  /** @returns null if no part of it fits. */
  async #omittedFor(sent: GenerationInput, window: number): Promise<number | null> {
    const { countTexts } = this.#dependencies;
    const { maxOutputTokens, capFrom } = sent;
    const share = capFrom === 'default' ? MOST_OF_WINDOW.default : MOST_OF_WINDOW.request;
    const room = window - Math.min(maxOutputTokens, Math.floor(window * share));
    if (mostInputTokens(sent) <= room) return 0;
    const beside = await boundInputTokens({ ...sent, messages: [] }, countTexts);
    const tokens = await boundMessageTokens(sent.messages, countTexts);
    return omittedToFit(sent.messages, tokens, room - beside);
  }
}

type Opened = ReadonlyMap<string, CompactedContext>;
const NOTHING_OPENED: Opened = new Map();

/** The input as a model reads it. Of a summary that is still to be written, the length counts. */
function sentOf(input: GenerationInput, opened: Opened): GenerationInput {
  const { messages, compaction, omittedMessages = 0 } = input;
  if (compaction !== undefined) {
    const { from, words } = compaction;
    const lead = withCompactions(messages.slice(0, from), opened).filter(isInstruction);
    const expected = { lead, summary: ' '.repeat(words * CHARS_PER_WORD) };
    return { ...input, messages: withCompaction(messages, expected, from) };
  }
  if (opened.size === 0 && omittedMessages === 0) return input;
  return { ...input, messages: withoutFirst(withCompactions(messages, opened), omittedMessages) };
}

function tooLong(why: string): UnbrokenError {
  const message = `Your input exceeds the context window of this model. ${why} Please adjust your input and try again.`;
  return new UnbrokenError('context_length_exceeded', message, { details: { param: 'input' } });
}
