/** Enable and disable, buy and sell, before and after: the same question the other way round. */
import type { Comparison, Side } from '../compare-facts.ts';
import type { Veto } from './difference.ts';

/** Pairs that the dictionary lacks, or has only in a rare sense. */
const PAIRS = new Map<string, Set<string>>();
for (const pair of (
  'start/stop start/end begin/end begin/finish start/finish buy/sell import/export enable/disable max/min maximum/minimum ' +
  'highest/lowest biggest/smallest largest/smallest longest/shortest fastest/slowest oldest/newest oldest/youngest ' +
  'cheapest/dearest best/worst most/least increase/decrease increase/reduce raise/lower add/remove add/delete ' +
  'add/subtract push/pull upload/download install/uninstall lock/unlock connect/disconnect encrypt/decrypt encode/decode ' +
  'ascending/descending win/lose borrow/lend send/receive arrive/leave arrival/departure gain/lose rise/fall turn_on/turn_off ' +
  'log_in/log_out sign_in/sign_out sign_up/cancel allow/forbid allow/block accept/reject accept/refuse approve/reject ' +
  'internal/external debit/credit deposit/withdraw deposit/withdrawal shorten/lengthen tighten/loosen hire/fire ' +
  'open/close subscribe/unsubscribe follow/unfollow mute/unmute zip/unzip pack/unpack load/unload show/hide expand/collapse ' +
  'join/leave sender/receiver sender/recipient seller/buyer landlord/tenant employer/employee lender/borrower ' +
  'parent/child input/output upstream/downstream first/last inside/outside indoor/outdoor front/back front/rear top/bottom ' +
  'left/right upper/lower above/below early/late sunrise/sunset warm/cool hot/cold heat/cool freeze/thaw freeze/defrost ' +
  'wet/dry tall/short long/short big/small large/small high/low cheap/expensive fast/slow new/old full/empty public/private ' +
  'local/remote manual/automatic temporary/permanent legal/illegal possible/impossible safe/dangerous safe/unsafe ' +
  'male/female boy/girl man/woman husband/wife son/daughter brother/sister mother/father'
).split(' ')) {
  const [a = '', b = ''] = pair.split('/');
  PAIRS.set(a, (PAIRS.get(a) ?? new Set()).add(b));
  PAIRS.set(b, (PAIRS.get(b) ?? new Set()).add(a));
}
const TURNED = [
  ['order', 'before', 'after'],
  ['antonym', 'up', 'down'],
  ['antonym', 'on', 'off'],
] as const;
/** Opposites that stand in one prompt for other reasons. */
const OFTEN_BESIDE = new Set(
  'give take come go back more less leave arrive get keep have man woman block unblock'.split(' '),
);
const FEWEST_SHARED = 0.4;

export const antonym: Veto = (comparison) => {
  const { left, right, isClose, overlap } = comparison;
  if (left.facts.negations !== right.facts.negations || overlap < FEWEST_SHARED) return null;
  for (const { lemma, word } of left.words) {
    const opposite = right.words.find(
      (other) => PAIRS.get(word)?.has(other.word) === true || areOpposites(lemma, other.lemma, comparison),
    );
    if (opposite !== undefined && (isClose || isLone(left, right))) {
      return { kind: 'antonym', detail: `${word} and ${opposite.word}` };
    }
  }
  return turnsAround(comparison);
};

/** Turn on and disable: as they are, or by another word for them. */
function areOpposites(a: string, b: string, { areOpposites: areListed, aliasesOf }: Comparison): boolean {
  if (areListed(a, b) && !OFTEN_BESIDE.has(a) && !OFTEN_BESIDE.has(b)) return true;
  const others = aliasesOf(b);
  return aliasesOf(a).some((alias) => others.some((other) => PAIRS.get(alias)?.has(other) === true));
}

/** In a long prompt, two opposites may be of two remarks that the other prompt leaves out. */
function isLone(left: Side, right: Side): boolean {
  return left.words.length <= 4 && right.words.length <= 4;
}

/** Small words, with the same words around them. */
function turnsAround({ left, right, isClose }: Comparison): ReturnType<Veto> {
  if (!isClose) return null;
  for (const [kind, word, opposite] of TURNED) {
    const isTurned = (own: Side, other: Side) => own.telling.has(word) && other.telling.has(opposite);
    if (isTurned(left, right) || isTurned(right, left)) return { kind, detail: `${word} and ${opposite}` };
  }
  return null;
}
