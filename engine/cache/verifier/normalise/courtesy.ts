/** Greetings, thanks and filler: text that only adds them asks the same. Words are joined by single spaces. */

const START = '(?<=^|[¶,:] )';
const END = '(?= [¶,:]|$)';
const GREETED =
  '(?: (?:there|all|everyone|everybody|guys|folks|team|sir|madam|or|sirs|again|support|assistant|bot|mate|love|hun|hon|luv|dear|friend|friends|buddy))*';

/** Greetings and closings at the start or end of a clause. */
const AT_CLAUSE: readonly string[] = [
  `(?:hi|hello|hey|hiya|heya|hallo|howdy|yo|greetings|dear|good (?:morning|afternoon|evening|day)|morning|evening|afternoon)${GREETED}${END}`,
  `(?:hi|hello|hey|hiya|heya|howdy|greetings|good (?:morning|afternoon|evening|day))${GREETED}(?= )`,
  `(?:many |big |huge )?(?:thanks|thank you|cheers|ta|merci|danke|gracias)(?: (?:so much|very much|a lot|a million|1000000|a bunch|kindly|again|in advance|for (?:your|any|the) (?:help|time|reply|answer|advice|support)|for (?:reading|helping)|guys|all|mate))*${END}`,
  `(?:(?:kind|best|warm|many) )?(?:regards|wishes)${END}`,
  `(?:yours )?(?:sincerely|faithfully|truly)${END}`,
  `i hope (?:you are|you re|all is|everything is|this (?:finds|reaches) you|that you are) (?:well|fine|ok|okay|good|doing well|keeping well)(?: today)?`,
  `hope (?:you are|all is|this finds you) (?:well|fine|ok|okay|good|doing well|keeping well)(?: today)?`,
  `(?:hope|i hope) (?:you|someone) can help(?: me)?(?: with this)?${END}`,
  `(?:i am )?(?:so |very |really )?sorry (?:to bother you(?: again)?|for (?:the|my|a|this|bothering you|disturbing you)(?: (?:long|silly|stupid|basic|dumb|bad|poor))* ?(?:message|question|post|text|english|email|one)?|if this is (?:a )?(?:silly|stupid|dumb|basic|obvious)(?: question)?)${END}`,
  `(?:maybe |perhaps |probably )?(?:a |this is a |this may be a |it is a |just a )?(?:quick|silly|stupid|dumb|basic|simple|small|little|random) (?:question|one|q|ask)(?: for you)?${END}`,
  `(?:a |i have a |i have got a |got a |just a |one )?(?:quick |small |little )?question(?: for you)?${END}`,
  `i (?:was|am) (?:just )?wondering(?: (?:if|whether)(?: (?:you|someone) (?:could|can|might) (?:tell me|help me|explain))?)?`,
  `just wondering(?: (?:if|whether))?`,
  `(?:i (?:would|will) (?:be |really |very |much )*(?:grateful|appreciate it|appreciate any help|appreciate your help)|any help (?:is|would be) (?:much |greatly )?appreciated|much appreciated|appreciate it)(?: if)?`,
  `(?:please )?help(?: me)?(?: (?:out|please|asap))?${END}`,
  `(?:can|could) (?:you|someone|anyone|somebody|anybody) (?:please |kindly |possibly )?help(?: me)?(?: out)?(?: with (?:this|that|something))?${END}`,
  `if (?:you do not mind|possible|that is ok|that is okay|you can|you could|you would)${END}`,
  `(?:oh )?and (?=please)`,
  `(?:oh|so|and|but|ok|okay|well|now|right|anyway|alright|also|then|um|uh|like|look|listen|basically|honestly|hmm)(?: ,)? (?=\\S)`,
];
const ASKED_FOR =
  '(?:tell|explain|show|give|help|let|list|write|say|advise|suggest|recommend|describe|find|check|confirm|send|make|provide|share|clarify|translate|summari[sz]e)';
const ANYWHERE: readonly string[] = [
  `(?:if )?you (?:can|could|would|might) (?:please |kindly |possibly |just |also )*(?=${ASKED_FOR}\\b)`,
  'if you (?:told|explained|showed|gave) (?:me )?',
  // An indirect question is no condition.
  '(?<=(?:tell me|let me know|like to know|need to know|want to know|wonder|wondering|wondered|figure out|find out|clarify|confirm|advise|to know|may i ask|can i ask|just ask) )(?:if|whether)(?= )',
  '(?:may|can|could) i (?:just )?ask (?:you )?',
  `(?:can|could|would|will) you (?:please |kindly |possibly |just |quickly )*(?=${ASKED_FOR}\\b)`,
  '(?:would|do) you mind (?=\\w+ing\\b)',
  '(?:please|kindly|um+|uh+|er+m?|hm+|erm|lol|haha+|hehe|omg|argh|ugh|pretty please|tbh|imho)(?= |$)',
  '(?:right now|at the moment|nowadays|these days|as soon as possible|by the way|for your information|for me|you know|you see|i mean)(?= |$)',
  '(?:just|actually|really|simply|basically|literally|honestly|possibly|perhaps|maybe|currently|exactly)(?= |$)',
  'thanks(?= |$)',
  // After a quotation, or without a mark before it.
  '(?:many |big |huge )?(?:thanks|thank you)(?: (?:so much|very much|a lot|a million|1000000|kindly|again|in advance))*(?: ¶)*$',
  'or (?:nah|not|no|what)(?: ¶)?$',
];

const RULES = [
  ...AT_CLAUSE.map((pattern) => new RegExp(`${START}(?:${pattern})`, 'gu')),
  ...ANYWHERE.map((pattern) => new RegExp(`(?<=^| )(?:${pattern})`, 'gu')),
];

export function withoutCourtesy(words: string): string {
  let rest = words;
  for (const rule of RULES) {
    const next = rest.replace(rule, ' ');
    if (next !== rest)
      rest = next
        .replace(/ {2,}/g, ' ')
        .replace(/^ ?(?:[¶,:] )+/u, '')
        .trim();
  }
  return rest;
}
