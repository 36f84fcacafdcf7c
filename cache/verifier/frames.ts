/**
 * What is asked of the thing that the prompt is about: how, why, when, what it is, to make it. The many ways of
 * asking are rewritten to one frame such as `<how>`; what is left is the thing itself. Order matters: the longer
 * pattern stands before the shorter one that it contains. Patterns see lower-case words with one space between them.
 */

const WHO = '(?:i|you|we|one|someone|somebody|anyone|people|they)';
const MODAL = '(?:do|does|did|can|could|should|would|may|might|must|shall|will)';
const BE = '(?:is|are|was|were)';
const ADJ =
  '(?:(?:best|right|correct|good|better|proper|recommended|easiest|simplest|easy|simple|standard|usual|common|idiomatic|possible|different|main) )*';
const A = '(?:(?:the|a|an|some|any|my|your|all|all the) )?';
const START = '(?<=^|[¶,:] )';
const END = '(?= [¶,:]|$)';
const WAY = '(?:ways?|methods?|procedures?|process|steps?|instructions|technique|techniques|approach)';
const UNIT = '(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)';
const COMMAND =
  '(?:tell|show|give|explain|write|draft|compose|create|make|list|help|translate|summarize|summarise|convert|suggest|' +
  'propose|recommend|describe|define|rewrite|generate|find|provide|share|name|send|plan|calculate|compute|solve|state|' +
  'put|turn|change|check|design|outline|prepare)';

type Rule = readonly [pattern: string, replacement: string];

const WORDING: readonly Rule[] = [
  ['\\bhelps? (?:me )?to ', ''],
  [`${START}what (?:can|could|should|do) ${WHO} use instead of `, 'what can replace '],
  [`${START}what is (?:the|a) formula (?:for|of) `, 'how to calculate '],
  ['\\bhow many (\\w+) (?:is|are|in|make) (-?\\d[^¶]*?)(?= ¶|$)', '<convert> $2 to $1'],
  ['\\bout of\\b', 'from'],
  ['\\b(?:ahead of|prior to)\\b', 'before'],
  [`${START}(\\w+) duration (?=\\w)`, 'how long is the $1 '],
  [`${START}(?:give|show) (?:me |us )?(?:a|the) (\\w+ )?list of (?:all )?`, 'list $1'],
  ['\\btop (\\d+) (\\w+) by ', '$1 $2 with highest '],
  ['\\bhow many (\\w+) (tall|high|long|deep|wide) (is|are) (.+?)(?= [¶,:]|$)', 'how $2 $3 $4 in $1'],
  ['\\bwhere\\b([^¶]*?) (?:be )?(?:found|kept|located|situated)(?= [¶,:]|$| in)', 'where$1'],
  ['\\bwhat (?:does|do|did) (.+?) cost\\b', 'how much does $1 cost'],
  [
    `${START}what is (?:the|a|my) (\\w+) (?:command|formula|function|code|query|syntax|shortcut) (?:to|for|that|which) (.+?)(?= [¶]|$)`,
    'how to $2 in $1',
  ],
  [
    `${START}what is (?:the|a) (?:command|formula|function|code|sql|query|syntax|shortcut) (?:to|for|that|which) `,
    'how to ',
  ],
  [`${START}(?:is|would) (?:it )?(?:be )?(?:better|preferable) to (.+?) than (?:to )?`, 'should i $1 over '],
  [
    `${START}(?:is|would) (.+?) (?:be )?(?:a )?(?:better(?: choice)? than|preferable to) `,
    'should i choose $1 over ',
  ],
  [
    `${START}what (?:${BE}|would be) ${A}${ADJ}(?:treatments?|remedy|remedies|cures?) (?:for|against) `,
    'how to act_against ',
  ],
  [
    `${START}what (?:can|should|could|do|must|to) ${WHO} (?:have to |need to )?do (?:about|against) `,
    'how to act_against ',
  ],
  [`${START}what helps (?:against|with|for) `, 'how to act_against '],
  ['\\bvs code\\b', 'vscode'],
  ['\\bmt (?:¶ )?(?=\\w)', 'mount '],
  ['\\b(csv|parquet|json|xml|pdf|yaml|excel|text) files?\\b', '$1'],
  [
    '(\\d (?:words|characters|letters|pages|lines|sentences|meters|metres|km|minutes|hours|days)) long\\b',
    '$1',
  ],
  ['\\b(?:get|gets|got|getting) (paid|lost|stuck|hurt|burnt|\\w+ed)\\b', 'be $1'],
  ['\\b(?:counts?|considered|regarded) (?:as|to be|a kind of)\\b', ''],
  ['\\bbelongs? to (?:the )?', ''],
  [`\\bwhat (?:effect|impact|influence) (?:does|do|did) (.+?) have (?:on|upon) `, 'how does $1 affect '],
  [`\\bwhat (?:does|do|did) (?!${WHO}\\b)(.+?) do to (?=the|my|your|\\w+ \\w)`, 'how does $1 affect '],
  ['\\bwhat (?:is|are) (.+?) short for\\b', 'what is $1'],
  ['\\b(?:located|situated|considered|properly|correctly)\\b', ''],
  ['\\bn th\\b', 'nth'],
  [`^(?:i|we) (?:want|need|would like|wish|have) to ((?:(?! how\\b)[^¶])+?)(?: ¶)?$`, 'how to $1'],
  [
    `^(.+?) [¶,] (?:so )?what (?:should|can|must|do|could|shall) (?:i|we) do(?: now)?(?: ¶)?$`,
    'what should i do if $1',
  ],
];

const POLITENESS: readonly Rule[] = [
  [`${START}thank you(?: very much| so much| in advance)?${END}`, ''],
  [
    `${START}(?:i am |we are )?(?:any idea|i do not know|not sure|looking for (?:a|the) way|trying|struggling|unsure)(?: of| about| on)?(?: how)? to `,
    'how to ',
  ],
  [`${START}i (?:need|want|could use) (?:some )?help (?:with |to |in )`, 'how to '],
  [`${START}(?:if|whether) (?:i|we) (can|should|must|may) `, '$1 i '],
  ['\\b(?:right now|at the moment|nowadays|these days)\\b', ''],
  [
    '\\b(?:please|kindly|thanks|pls|hi|hello|hey|just|actually|really|exactly|simply|currently|there any)\\b',
    '',
  ],
  [`${START}(?:so|and|but|ok|okay|well|now) (?:,)?`, ''],
  [`${START}(?:can|could|would|will) you (?=${COMMAND}\\b)`, ''],
  [`${START}i (?:would like|want|need|would love) you to `, ''],
  [
    `${START}(?:i|we) (?:would like|want|need|wish|would love) to (?:know|learn|understand|find out)(?: about)? `,
    '',
  ],
  [`${START}(?:do|would|can) you (?:happen to )?know `, ''],
  [`${START}i (?:was|am) wondering (?:if |whether )?`, ''],
  [
    `${START}(?:help me|let me know|tell me|tell us|show me|teach me|walk me through|guide me through|inform me)(?: to| about)? `,
    '',
  ],
  [`${START}explain to me `, 'explain '],
  ['\\bin order to\\b', 'to'],
  ['\\bso that\\b', 'that'],
];

const HOW: readonly Rule[] = [
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

const WHY: readonly Rule[] = [
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

const QUANTITY: readonly Rule[] = [
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

const PLACE: readonly Rule[] = [
  [
    `${START}(?:in )?(?:where|which place|what place) ${MODAL} ${WHO} (?=find|see|look|get)(?:find|see|look up|look for|get) `,
    '<where> ',
  ],
  [`${START}where ${MODAL} ${WHO} `, '<wherehow> '],
  ['\\bwhere (?:is |are |was |were |do |does |did |can |to find )?', '<where> '],
  ['\\b(?:in |at |on )(?:which|what) (?:place|part|location) (?:of )?', '<where> '],
];

const LATE_PLACE: readonly Rule[] = [
  [
    '\\bin (?:which|what) (?:city|country|museum|state|region|town|building|room|area|continent|street|file|folder|directory) (?:of )?',
    '<where> ',
  ],
];

const TIME: readonly Rule[] = [
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

const WHAT: readonly Rule[] = [
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

const POSSIBILITY: readonly Rule[] = [
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

const MAKING: readonly Rule[] = [
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

const LATE: readonly Rule[] = [
  ['<long> ([^¶]+?) (?:takes?|needs?) to ', '<long> $1 '],
  // Python: how can I sort a list?
  ['^([^<¶:,]{1,40}) : (<[a-z]+>[^¶]*?)( ¶)?$', '$2 in $1'],
  // At high altitude, why does water boil: where it stands says nothing.
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

const RULES = [
  ...POLITENESS,
  ...WORDING,
  ...HOW,
  ...MAKING,
  ...QUANTITY,
  ...PLACE,
  ...TIME,
  ...LATE_PLACE,
  ...WHY,
  ...WHAT,
  ...POSSIBILITY,
  ...LATE,
].map(([pattern, replacement]) => [new RegExp(pattern, 'gu'), replacement] as const);

/** Rewrites the ways of asking to frames. Takes and gives words that are joined by single spaces. */
export function rewriteFrames(text: string): string {
  let rewritten = text;
  for (const [pattern, replacement] of RULES) {
    const next = rewritten.replace(pattern, replacement);
    if (next !== rewritten) rewritten = next.replaceAll('undefined', '').replace(/ {2,}/g, ' ').trim();
  }
  return rewritten;
}
