/** How and why: ways to do a thing, and its reasons. */
import { A, ADJ, BE, END, MODAL, type Rule, START, WAY, WHO } from './pieces.ts';

export const HOW: readonly Rule[] = [
  // I want to X. How do I do that?  ->  how X
  [
    `${START}(?:i|we) (?:would like|want|need|have|wish) to (.+?) (?:[¶,:] )+(?:and )?how(?: ${MODAL} ${WHO} (?:do|go about|achieve) (?:it|that|this|so)| ${MODAL} (?:i|that|this|it) (?:work|go|do it|do that|do)?| to)?${END}`,
    '<how> $1',
  ],
  // X: how?   X - how do I do it?
  [
    `^([^¶]+?) [-:,¶] how(?: ${MODAL} ${WHO} (?:do|go about|achieve) (?:it|that|this|so)| ${MODAL} (?:that|this|it) (?:work|go)| to)?(?: ¶)?$`,
    '<how> $1',
  ],
  [
    `${START}(?:what ${BE} |what would be |${BE} there |give |describe |explain |describe )?${A}(?:fastest|quickest|fast|quick) ${WAY} (?:to|of|for|in which to) `,
    '<how> fast ',
  ],
  [
    `${START}(?:what ${BE} |what would be |give |describe |explain |list )?${A}${ADJ}${WAY} (?:(?:${BE} )?(?:there )?(?:to take |i need to take |needed |required )?)(?:to|of|for|in which to|by which|that) `,
    '<how> ',
  ],
  [`${START}what ${MODAL} ${WHO} (?:have to |need to |got to )?do to `, '<how> '],
  [`${START}what (?:do|does) ${WHO} (?:have|need) to do to `, '<how> '],
  [`${START}what helps to `, '<how> '],
  [`${START}what ${MODAL} ${WHO} (?:need to |have to )?do (?=if |when |after |before |during )`, '<whatdo> '],
  [
    `${START}(?:explain |describe |show |demonstrate )?how (?:to|${MODAL} ${WHO}(?: have to| need to| get to| go about)?) `,
    '<how> ',
  ],
  [
    `${START}(?:explain |describe |show |demonstrate )how (?!(?:many|much|long|often|far|old|high|tall|fast|big|large)\\b)`,
    '<how> ',
  ],
  ['\\b(?:in what (?:way|manner)|by what (?:process|means|method|way)) ', '<how> '],
];

export const WHY: readonly Rule[] = [
  [`^([^<¶]+) ¶ what (?:is|are) (?:the )?(?:reasons?|causes?)(?: ¶)?$`, '<why> $1'],
  [
    `${START}(?:explain |describe |give )?(?:what ${BE} )?${A}reasons? (?:that |for which |for |why |behind |of |to )?(?=\\w)`,
    '<why> ',
  ],
  [
    `${START}(?:explain )?what (?:causes?|caused|triggers?|triggered|makes|made|leads to|explains|is the cause of|are the causes of) `,
    '<why> ',
  ],
  [`${START}how come `, '<why> '],
  [`${START}(?:explain )?why (?:is it that |was it that )?`, '<why> '],
  ['\\bwhy ', '<why> '],
];
