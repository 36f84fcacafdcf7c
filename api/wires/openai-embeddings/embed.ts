/** One call for embeddings: reserves the budget, forwards the call, and books what it costs. */
import { randomBytes } from 'node:crypto';
import type { BudgetOwner } from '../../../contracts/budgets.ts';
import type { ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import { type MicroUsd, NO_USAGE, type Usage } from '../../../contracts/money.ts';
import { EMBEDDINGS_ID_PREFIX } from '../../../contracts/names.ts';
import { UNKNOWN_END } from '../../../engine/budget/ledger.ts';
import { costOf } from '../../../engine/models/price.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { budgetExceeded } from '../../generations/budget-exceeded.ts';
import { endUserOf, mayNameUser } from '../end-user.ts';
import { forwardEmbeddings } from './forward.ts';
import type { EmbeddingsAnswer } from './read-answer.ts';
import { type EmbeddingsRequest, type EmbeddingsTarget, embeddingInput } from './request.ts';

/** Vendors' tokenizers differ from ours by a few percent. */
const COUNT_MARGIN = 1.1;

type Calling = Pick<ApiDependencies, 'budget' | 'config' | 'countTexts'>;

interface EmbeddingsCall {
  readonly caller: Caller;
  readonly body: EmbeddingsRequest;
  readonly target: EmbeddingsTarget;
  /** What is reserved and booked under one id is booked once. */
  readonly generationId: string;
}

type Called = { readonly user: string; readonly usage: Usage; readonly costMicroUsd: MicroUsd } & (
  | { readonly answer: EmbeddingsAnswer; readonly error: null }
  | { readonly answer: null; readonly error: UnbrokenError }
);

/** @throws budget_exceeded, and what the provider's refusal maps to */
export async function embed(
  dependencies: Calling,
  caller: Caller,
  body: EmbeddingsRequest,
  target: EmbeddingsTarget,
) {
  const generationId = `${EMBEDDINGS_ID_PREFIX}${randomBytes(16).toString('hex')}`;
  const { tenant, team, keyId } = caller;
  const called = await callEmbeddings(dependencies, { caller, body, target, generationId });
  const { answer, error, user, usage, costMicroUsd } = called;
  const { provider, model } = target;
  const owned = { tenant, user, team, keyId, generationId, provider, model };
  await bookEmbeddings(dependencies, { ...owned, usage, costMicroUsd, failure: error?.code ?? null });
  if (answer === null) throw error;
  return { embeddings: answer, costMicroUsd };
}

/** Reserves and calls; what the call used is still to be booked. @throws budget_exceeded */
export async function callEmbeddings(
  { budget, config, countTexts }: Calling,
  { caller, body, target, generationId }: EmbeddingsCall,
): Promise<Called> {
  const { tenant, team, keyId } = caller;
  const user = (mayNameUser(caller) ? endUserOf(body.user).user : undefined) ?? caller.user;
  const costOfTokens = (inputTokens: number) => {
    const { pricedAs } = config.providers[target.provider] ?? {};
    const usage = { ...NO_USAGE, inputTokens };
    return costOf({ ...target, pricedAs }, usage, config.prices).costMicroUsd;
  };
  const { texts, tokens } = embeddingInput(body);
  const countedTokens = (await countTexts(texts)).reduce((sum, count) => sum + count, tokens);
  const inputTokens = Math.ceil(countedTokens * COUNT_MARGIN) + texts.length;
  const price = { fixedMicroUsd: costOfTokens(inputTokens), outputMicroUsdPerMillion: 0 };
  const most = { inputTokens, maxOutputTokens: 0, minOutputTokens: 0, price };
  const reserved = await budget.reserve({ tenant, user, team, keyId, generationId, ...most });
  // Refused by no budget: a call of this id was booked before, whose answer was lost. This one is not booked again.
  if (!reserved.granted && reserved.budget !== null) throw budgetExceeded(reserved);
  const forwarded = await forwardEmbeddings(target, body);
  if (forwarded.answer === null) {
    const { error, mayBeBilled } = forwarded;
    const usedTokens = mayBeBilled ? countedTokens : 0;
    const usage = { ...NO_USAGE, inputTokens: usedTokens, estimated: mayBeBilled };
    return { answer: null, error, user, usage, costMicroUsd: costOfTokens(usedTokens) };
  }
  const reportedTokens = forwarded.answer.usage?.prompt_tokens;
  const usedTokens = reportedTokens ?? countedTokens;
  const usage = { ...NO_USAGE, inputTokens: usedTokens, estimated: reportedTokens === undefined };
  // Clients read it as a number that is always there.
  const counted = { prompt_tokens: usedTokens, total_tokens: usedTokens };
  const answer = { ...forwarded.answer, usage: forwarded.answer.usage ?? counted };
  return { answer, error: null, user, usage, costMicroUsd: costOfTokens(usedTokens) };
}

interface EmbeddingsBooking extends BudgetOwner {
  readonly generationId: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
  /** null: the call succeeded. */
  readonly failure: ErrorCode | null;
}

/** A repeated call changes nothing. */
export async function bookEmbeddings(
  { budget }: Pick<Calling, 'budget'>,
  { failure, ...booking }: EmbeddingsBooking,
): Promise<void> {
  const { provider, model } = booking;
  const status = failure === null ? 'completed' : 'failed';
  const failures = failure === null ? [] : [{ provider, model, code: failure }];
  await budget.settle({ ...booking, attempt: 1, counted: { ...UNKNOWN_END, status, failures } });
}
