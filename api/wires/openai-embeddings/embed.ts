/** Calls for embeddings, and books what the call costs. */
import { randomBytes } from 'node:crypto';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { EMBEDDINGS_ID_PREFIX } from '../../../contracts/names.ts';
import { UNKNOWN_END } from '../../../engine/budget/ledger.ts';
import { costOf } from '../../../engine/models/price.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { budgetExceeded } from '../../generations/budget-exceeded.ts';
import { endUserOf, mayNameUser } from '../end-user.ts';
import { forwardEmbeddings } from './forward.ts';
import { type EmbeddingsRequest, type EmbeddingsTarget, embeddingInput } from './request.ts';

/** Vendors' tokenizers differ from ours by a few percent. */
const COUNT_MARGIN = 1.1;

/** @throws budget_exceeded, and what the provider's refusal maps to */
export async function embed(
  { budget, config, countTexts }: Pick<ApiDependencies, 'budget' | 'config' | 'countTexts'>,
  caller: Caller,
  body: EmbeddingsRequest,
  target: EmbeddingsTarget,
) {
  const { tenant, team, keyId } = caller;
  const user = (mayNameUser(caller) ? endUserOf(body.user).user : undefined) ?? caller.user;
  const generationId = `${EMBEDDINGS_ID_PREFIX}${randomBytes(16).toString('hex')}`;
  const owner = { tenant, user, team, keyId, generationId };
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
  const reserved = await budget.reserve({ ...owner, ...most });
  if (!reserved.granted) throw budgetExceeded(reserved);
  const { provider, model } = target;
  const settle = (inputTokens: number, estimated: boolean, code: ErrorCode | null) =>
    budget.settle({
      ...owner,
      usage: { ...NO_USAGE, inputTokens, estimated },
      costMicroUsd: costOfTokens(inputTokens),
      attempt: 1,
      provider,
      model,
      counted: {
        ...UNKNOWN_END,
        status: code === null ? 'completed' : 'failed',
        failures: code === null ? [] : [{ provider, model, code }],
      },
    });
  const forwarded = await forwardEmbeddings(target, body);
  if (forwarded.answer === null) {
    const { error, mayBeBilled } = forwarded;
    await settle(mayBeBilled ? countedTokens : 0, mayBeBilled, error.code);
    throw error;
  }
  const reportedTokens = forwarded.answer.usage?.prompt_tokens;
  const usedTokens = reportedTokens ?? countedTokens;
  await settle(usedTokens, reportedTokens === undefined, null);
  const usage = { ...NO_USAGE, inputTokens: usedTokens, estimated: reportedTokens === undefined };
  return { embeddings: forwarded.answer, usage, costMicroUsd: costOfTokens(usedTokens) };
}
