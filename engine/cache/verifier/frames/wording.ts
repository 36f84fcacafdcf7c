/** Phrases without meaning, and phrases with several spellings, which are rewritten before the frames. */
import { A, ADJ, BE, COMMAND, END, type Rule, START, WHO } from './pieces.ts';

export const POLITENESS: readonly Rule[] = [
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

export const WORDING: readonly Rule[] = [
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
