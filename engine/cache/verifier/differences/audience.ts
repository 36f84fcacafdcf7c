/** Another reader: a child, a beginner, an expert. */
import type { Veto } from './difference.ts';

const READER =
  '(?:beginners?|child|children|kids?|(?:year|yr) old|yo|teenagers?|experts?|layman|layperson|novice|newbie|dumm(?:y|ies)|toddler|grandma|granny|nan|gran|grandad|grandpa|grandmother|grandfather|professor|colleagues?)';
const READER_NAMED = new RegExp(
  `\\b(?:${READER}|(?:son|daughter|bro|brother|sister|class|year|grade|beginner|laym[ae]n\\w*|plain|simple|simply) )\\b`,
  'u',
);
const TO_READER = new RegExp(
  `\\b(?:explain|describe|tell|teach|show)\\b[^¶]{0,60}? (?:to|for|like) (?:\\S+ ){0,3}?${READER}\\b`,
  'u',
);
const OF_READER =
  /\b(?:eli5|layman s terms|layman terms|for (?:total |complete |absolute )?beginners|for dummies)\b/;
const INEXPERIENCED =
  /\bwho (?:has |have |is |had )?never (?:used|touched|held|coded|cooked|programmed|sewn|knitted|baked|driven|heard of|done (?:this|it|any))\b/;
const PROFESSION =
  /\bi am (?:a|an|her|his|their|the) (?:\w+ ){0,2}?(?:nurse|doctor|lawyer|teacher|engineer|developer|accountant|journalist|pharmacist|midwife|vet|physio\w*|solicitor|chef|plumber|electrician|paramedic|carer|dentist|programmer|mechanic|tutor|professor|beginner|tailor|surgeon|biologist|chemist|physicist|lecturer)\b/;

export const audience: Veto = ({ left, right }) => {
  for (const pattern of [TO_READER, OF_READER, INEXPERIENCED, PROFESSION]) {
    const [first, second] = [pattern.exec(left.facts.whole), pattern.exec(right.facts.whole)];
    const other = first === null ? left : right;
    if ((first === null) !== (second === null) && !READER_NAMED.test(other.facts.whole))
      return { kind: 'audience', detail: (first ?? second)?.[0] ?? '' };
  }
  return null;
};
