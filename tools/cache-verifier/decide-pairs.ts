/** Reads written pairs as the cache reads two questions: the filter, the rules, then the model. */
import { NEVER, type PairKind, type Thresholds } from '../../engine/cache/pair-model/calibration.ts';
import { type Closeness, closenessOf } from '../../engine/cache/pair-model/closeness.ts';
import { PairModel } from '../../engine/cache/pair-model/pair-model.ts';
import { readPairs, textsOf } from '../../engine/cache/pair-model/read-pairs.ts';
import {
  type ConversationPair,
  compareConversations,
} from '../../engine/cache/verifier/compare-conversations.ts';
import { createVerifier } from '../../engine/cache/verifier/verify.ts';
import type { WrittenPair } from './written-pairs.ts';

/** What decides: `filter` (other turns of the assistant), `rules`, or `model`. */
export type Decision =
  | { readonly by: 'filter'; readonly same: false }
  | { readonly by: 'rules'; readonly same: boolean }
  | { readonly by: 'model'; readonly logit: number | null; readonly kind: PairKind };

export interface PairReader {
  decide(pair: Pick<WrittenPair, 'first' | 'second'>): Promise<Decision>;
  /** The log-odds without the rules. */
  logitOf(pair: Pick<WrittenPair, 'first' | 'second'>): Promise<number | null>;
}

const WHATEVER_IT_IS = { thresholds: { close: -NEVER, reworded: -NEVER }, all: true } as const;

export async function createPairReader(): Promise<PairReader> {
  const verifier = createVerifier();
  const model = await PairModel.load();
  const logitOf: PairReader['logitOf'] = ({ first, second }) =>
    logitOfTurns([first.usersTurns, second.usersTurns]);
  const logitOfTurns = async (pair: ConversationPair) => {
    const [reading] = await readPairs(model, { pairs: [pair], ...WHATEVER_IT_IS }, Number.POSITIVE_INFINITY);
    return reading?.logit ?? null;
  };
  return {
    logitOf,
    async decide(pair) {
      const { first, second } = pair;
      if (!areEqual(first.assistantsTurns, second.assistantsTurns)) return { by: 'filter', same: false };
      const [ruled] = compareConversations(
        verifier,
        first.usersTurns,
        [second.usersTurns],
        Number.POSITIVE_INFINITY,
      );
      if (ruled === undefined || ruled.ruling === 'same' || ruled.ruling === 'different')
        return { by: 'rules', same: ruled?.ruling === 'same' };
      const kind = ruled.ruling === 'aligned' ? ruled.ruling : closenessOf(...textsOf(ruled.pair));
      return { by: 'model', logit: await logitOfTurns(ruled.pair), kind };
    },
  };
}

export function closenessOfPair({ first, second }: Pick<WrittenPair, 'first' | 'second'>): Closeness {
  return closenessOf(...textsOf([first.usersTurns, second.usersTurns]));
}

export function isHit(decision: Decision, thresholds: Thresholds): boolean {
  if (decision.by !== 'model') return decision.same;
  return decision.logit !== null && decision.logit >= thresholds[decision.kind];
}

function areEqual(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at]);
}
