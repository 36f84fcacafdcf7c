/** What, who, where, when, how many: facts about a thing. */
import { A, ADJ, BE, END, MODAL, type Rule, START, UNIT, WHO } from './pieces.ts';

export const QUANTITY: readonly Rule[] = [
  [
    `\\bhow many ${UNIT} (?:of time )?(?:${MODAL}|is|are|was) (?:it (?:take|last|need) to |it take |it last )?`,
    '<long> ',
  ],
  [`\\bhow much time (?:${MODAL} )?(?:it (?:take|need)(?: to)? )?`, '<long> '],
  [
    `\\b(?:for )?how long (?:(?:${MODAL}|is|are|was) )?(?:it (?:take|last|need)(?: to)? |${WHO} (?:have to |need to )?)?`,
    '<long> ',
  ],
  [`\\b(?:for )?how many (${UNIT}) (?=is\\b)`, '<long> '],
  [
    `${START}what ${BE} ${A}${ADJ}(?:usual |normal |typical |legal )?(?:duration|length) (?:of|for) `,
    '<long> ',
  ],
  [`${START}what ${BE} ${A}(\\w+(?: \\w+)?) (?:duration)\\b`, '<long> $1'],
  [
    `${START}what ${BE} ${A}(flight|delivery|boiling|cooking|baking|travel|assembly|waiting|processing|shipping|response|loading|drying|driving|journey) time\\b`,
    '<long> $1',
  ],
  [`${START}(?:what ${BE} )?${A}(?:(?:exact|total) )?number of `, '<many> '],
  [`${START}count ${A}`, '<many> '],
  ['\\bwhat number of ', '<many> '],
  [`\\bhow many (${UNIT}) of `, '<manytime> ~$1 '],
  [`\\bhow many (\\w+) (${UNIT})\\b`, '<manytime> $1 ~$2'],
  ['\\bhow many ', '<many> '],
  [`\\bhow much ${MODAL} (.+?) (?:cost|costs)\\b`, '<what> how_cost $1'],
  [`\\bhow much (?:is|are|was|were) (?=\\D)`, '<what> how_much '],
  [`\\bhow much ${MODAL} (.+?) weigh(?:s)?\\b`, '<what> how_weight $1'],
  ['\\b(?:how much|what amount of|what quantity of) ', '<much> '],
  [`\\bhow (?:often|frequently|many times) `, '<often> '],
  [`\\bhow (?:high|tall) (?:${BE}|${MODAL}) `, '<what> how_high '],
  [`\\bhow far (?:away )?(?:${BE}|${MODAL}) `, '<what> how_far '],
  [`\\bhow (?:fast|quickly) (?:${BE}|${MODAL}) `, '<what> how_fast '],
  [`\\bhow old (?:${BE}|${MODAL}) `, '<what> how_old '],
  [`\\bhow (?:hot|warm|cold) (?:${BE}|${MODAL}) `, '<what> how_hot '],
  [`\\bhow (?:big|large) (?:${BE}|${MODAL}) `, '<what> how_big '],
  [`\\bhow (?:expensive|costly) (?:${BE}|${MODAL}) `, '<what> how_cost '],
  [`\\bhow (heavy) (?:${BE}|${MODAL}) `, '<what> how_weight '],
  [`\\bhow (deep|wide) (?:${BE}|${MODAL}) `, '<what> how_$1 '],
];

export const PLACE: readonly Rule[] = [
  [
    `${START}(?:in )?(?:where|which place|what place) ${MODAL} ${WHO} (?=find|see|look|get)(?:find|see|look up|look for|get) `,
    '<where> ',
  ],
  [`${START}where ${MODAL} ${WHO} `, '<wherehow> '],
  ['\\bwhere (?:is |are |was |were |do |does |did |can |to find )?', '<where> '],
  ['\\b(?:in |at |on )(?:which|what) (?:place|part|location) (?:of )?', '<where> '],
];

export const LATE_PLACE: readonly Rule[] = [
  [
    '\\bin (?:which|what) (?:city|country|museum|state|region|town|building|room|area|continent|street|file|folder|directory) (?:of )?',
    '<where> ',
  ],
];

export const TIME: readonly Rule[] = [
  [
    `${START}what ${BE} ${A}(?:best|right|ideal|optimal) (?:time|moment|season)(?: of the year)? (?:to|for) `,
    '<when> ~best ',
  ],
  [
    `${START}(?:when|which time of the year|what time of the year|which season|what season) ${BE} (?:the |it )?(?:best|ideal)(?: time)? (?:to|for) `,
    '<when> ~best ',
  ],
  [`${START}when should ${WHO} `, '<when> ~best '],
  [`${START}what (?:was|is) ${A}(?:date|day|year) (?:when|on which|in which|that) `, '<when> '],
  [
    `${START}what ${BE} ${A}(check in|check out|departure|arrival|opening|closing|start|starting|boarding) times?\\b`,
    '<when> $1',
  ],
  [
    '\\b(?:in |on |at )?(?:what|which) (?:year|date|day|month|week|season|century|point|moment|time) (?:was it (?:when|that) )?(?!in\\b)',
    '<when> ',
  ],
  [`\\b(?:by|until|since|till|from) (?:when|<when>) `, '<when> '],
  [`${START}(?:tell |explain )?when (?:was it that |is it that )?`, '<when> '],
];

export const WHAT: readonly Rule[] = [
  // Converting: 20 C in F
  [
    `${START}(?:what|how much|<much>|<what>) ?(?:${BE})? (\\d\\S* .+?) (?:in|to|into|as) (.+?)${END}`,
    '<convert> $1 to $2',
  ],
  [
    `${START}(\\d\\S* .+?) (?:equals?|is|are|makes?) (?:how many|<many>|how much) (.+?)${END}`,
    '<convert> $1 to $2',
  ],
  [
    `${START}(?:convert|change|turn|transform|translate) (\\d\\S* .+?) (?:in|to|into) (.+?)${END}`,
    '<convert> $1 to $2',
  ],
  // Translating
  [
    `${START}(?:translate|how (?:do|would) you say|<how> (?:say|translate)|what is)(?: (?:in|into|to) (\\w+) [:,])? ("\\S+)(?: (?:in|into|to) (\\w+))?${END}`,
    '<translate> $2 to $1$3',
  ],
  [`${START}(?:translate) (?:into|to) (\\w+) [:,] ("\\S+)`, '<translate> $2 to $1'],
  // Comparing
  [
    `${START}(?:explain |describe |list |give |show )?(?:what ${BE} )?${A}(?:main |key |basic |biggest )?differences? between `,
    '<differ> ',
  ],
  [
    `${START}(?:explain |describe )?(?:how|<how>) (?:do |does |did )?(.+?) differs? from `,
    '<differ> $1 and ',
  ],
  [
    `${START}(?:explain |describe )?(?:how|<how>) (?:do |does |did )?(.+?) (?:differ|(?:is|are) different)\\b`,
    '<differ> $1',
  ],
  [`${START}compare (.+?) (?:with|to|and|against) `, '<differ> $1 and '],
  [
    `^(?:(.+?) : )?([^:]+?) (?:vs ¶|vs|versus) ([^:,¶]+?)(?: [:,¶] (?:explain |what ${BE} )?(?:the )?differences?|(?= [¶,]|$))`,
    '<differ> $2 and $3 in $1',
  ],
  // Defining
  [`${START}(?:explain |describe )?what (?:does|do) (.+?) (?:mean|stand for|say|state)\\b`, '<what> $1'],
  [`${START}what ${BE} meant by `, '<what> '],
  [`${START}(.+?) [-:,] what (?:does|do) (?:that|this|it) mean\\b`, '<what> $1'],
  [
    `${START}(?:explain |describe |give |tell )?(?:what (?:${BE} )?)?${A}(?:exact |legal |precise )?(?:meaning|definition) of `,
    '<what> ',
  ],
  [`${START}(?:explain|describe|define) (?:what )?(.+?) (?:is|are|was|were|means|mean)${END}`, '<what> $1'],
  [`${START}what (?!(?:${BE}|${MODAL}|has|have|had|to)\\b)(.+?) (?:is|are|means|mean)${END}`, '<what> $1'],
  [`${START}(?:explain|describe|define|state|show|output|calculate|compute|determine) (?=\\S)`, '<what> '],
  [`${START}(?:name|list|enumerate|give|tell|identify) (?:me |us )?(?:the names? of )?(?=\\S)`, '<which> '],
  [`${START}(?:what|which) is (?:better|preferable|the better choice) (?:: )?`, '<should> '],
  [`(?:${START}|\\bby )(?:who|whom|whose) `, '<who> '],
  [
    `\\b(?:what|which) (?:kinds? of |sorts? of |types? of )?(?!(?:${BE}|${MODAL}|has|have|had|the|a|an|my)\\b)(\\p{L}\\S*) (?=(?:${BE}|${MODAL}|has|have|had|\\w+ed|wrote|made|won|led|became)\\b)`,
    '<which> ~$1 ',
  ],
  [
    `\\b(?:what|which) (?:kinds? of |sorts? of |types? of )?(?!(?:${BE}|${MODAL}|has|have|had|the|a|an|my)\\b)(\\p{L}\\S*) (\\p{L}\\S*) (?=(?:${BE}|${MODAL}|has|have|had)\\b)`,
    '<which> ~$1 ~$2 ',
  ],
  [`\\bwhich (?:${BE} )?(?:there )?`, '<which> '],
  [`\\bwhat (?:kinds? of |sorts? of |types? of )?(?:${BE} )?(?:there )?`, '<what> '],
];
