/** Whether a thing is possible, and things to be made; then the last rules, which run after all others. */
import { A, BE, MODAL, type Rule, START, WHO } from './pieces.ts';

export const POSSIBILITY: readonly Rule[] = [
  [`${START}is there (?:any|a|some) (?:way|option|possibility) (?:to|for ${WHO} to|for|of) `, '<canhow> '],
  [`${START}is it (?:possible|feasible) (?:to|for ${WHO} to|for) `, '<can> '],
  [`${START}is it (allowed|permitted|ok|okay|legal|safe) (?:to|for ${WHO} to) `, '<can> ~$1 '],
  [`${START}is it (allowed|permitted|ok|okay|legal|safe) for (.+?) to `, '<can> ~$1 $2 '],
  [`${START}(?:is|are) (.+?) (legal|safe|ok|okay)\\b`, '<can> ~$2 $1'],
  [`${START}(?:am|are) ${WHO} (?:allowed|able|permitted) (?:to )?`, '<can> '],
  [`${START}(?:is|are) (.+?) (?:possible|allowed|permitted)\\b`, '<can> $1'],
  [
    `${START}(?:is|are) (?=${A}\\w+ (?:\\w+ )?(?:allowed|able|permitted) to )(.+?) (?:allowed|able|permitted) to `,
    '<can> $1 ',
  ],
  [`${START}(?:can|could|may|might) ${WHO} (legally|safely) `, '<can> ~$1 '],
  [`${START}(?:can|could|may|might) (?:${WHO} )?`, '<can> '],
  [`${START}(?:do|does) ${WHO} (?:have|need|require) (?:to )?`, '<must> '],
  [`${START}(?:do|does) (.+?) (?:have to|need|need to|require)\\b`, '<must> $1'],
  [`${START}must (?:${WHO} )?`, '<must> '],
  [
    `${START}(?:is|are) (?:it )?(?:necessary|required|mandatory|compulsory) (?:to|for ${WHO} to|that) `,
    '<must> ',
  ],
  [
    `${START}(?:is|are) (.+?) (?:necessary|required|needed|mandatory|obliged|compulsory)\\b(?: to)?`,
    '<must> $1',
  ],
  [
    `${START}(?:is|would) (?:it |${A})(.*?)(?:be )?(?:a )?(?:better|preferable)(?: choice)? (?:to )?`,
    '<should> $1',
  ],
  [`${START}should ${WHO} `, '<should> '],
  [
    `${START}(?:is|are|was|were|do|does|did|has|have|had|will|would|should) (?:there )?(?:${WHO} )?`,
    '<yes> ',
  ],
];

export const MAKING: readonly Rule[] = [
  [
    `${START}(?:i (?:need|want|would like)(?: to have| to get)?|give|share|provide|come up with|suggest|propose|recommend|tell|send) (?:me |us )?(?:a|an|some|a good|the) `,
    '<give> ',
  ],
  [
    `${START}(?:write|draft|compose|create|generate|make|prepare|produce|formulate|implement|develop|design|build) (?:me |us )?(?:a|an|some|a good|the) `,
    '<make> ',
  ],
  [`${START}(?:write|draft|compose|create|generate|implement) (?:me |us )?`, '<make> '],
  [`${START}(?:suggest|come up with|propose) (?:me |us )?`, '<give> '],
  [`${START}i (?:need|want|would like) (?=sql|code|help)`, '<give> '],
  [
    `${START}(?:(?:summarize|summarise|sum up)|<give> summary of|<make> summary of|<what> (?:a |the )?summary of|give (?:me )?(?:a |the )?summary of) `,
    '<summarize> ',
  ],
  [
    `${START}(?:put|turn|change|rewrite|convert|transform) (?=this |the sentence|the text|the following|")`,
    '<rewrite> ',
  ],
];

export const LATE: readonly Rule[] = [
  ['<long> ([^¶]+?) (?:takes?|needs?) to ', '<long> $1 '],
  // Python: how can I sort a list?
  ['^([^<¶:,]{1,40}) : (<[a-z]+>[^¶]*?)( ¶)?$', '$2 in $1'],
  // At high altitude, why does water boil: the place of the phrase means nothing.
  [
    '^((?:in|at|on|for|with|during|from|within|after|before|under|as|to|since|until) [^<¶,:]+?) [,:]? ?(<[a-z]+>[^¶]*?)( ¶)?$',
    '$2 $1',
  ],
  ['<which> all (?:the )?', '<which> '],
  ['<what> (?:the |a )?(?:right|correct|appropriate|proper) ', '<what> '],
  ['^([^<¶]+?) [:,¶] (<should>)(?: ¶)?$', '$2 $1'],
  ['^(\\w{2,}ing) ([^<¶]+?)(?: ¶)?$', '<how> $1 $2'],
  [`<how> (?:explain|describe|define) `, '<what> '],
  [`\\bhow (${BE}|${MODAL}) `, '<how> $1 '],
  [`<long> (.+?) (?:lasts?|takes?|(?:is |are )?valid)(?= in\\b| for\\b| [¶,:]|$)`, '<long> $1'],
  [`^([^<]+?) [¶,:] (<[a-z]+>) (?:is|are|was|were)? ?¶?$`, '$2 $1'],
  [`^([^<]+?) ¶ (?:<why>|why) ?¶?$`, '<why> $1'],
  // What is left of a question that only points back.
  [
    `[¶,:] (?:so )?(?:<how>|<what>|<whatdo>|how|what) (?:are my options|are the options|should i do|is the way|is it|do i|now)? ?¶?$`,
    '',
  ],
];
