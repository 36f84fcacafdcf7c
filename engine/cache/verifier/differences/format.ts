/** Another form of the answer: a table, one sentence, code without explanation. */
import type { Veto } from './difference.ts';

interface Form {
  readonly wanted: RegExp;
  /** The other prompt names the form in another way. */
  readonly named: RegExp;
}

const asForm = (name: string, also = ''): Form => ({
  wanted: new RegExp(
    `\\b(?:as|in|into|with|return|output|make|draw|give me|want) (?:a |an |the )?(?:\\w+ ){0,2}?(?:${name})\\b${also}`,
    'u',
  ),
  named: new RegExp(`\\b(?:${name})`, 'u'),
});

const FORMS: Readonly<Record<string, Form>> = {
  table: asForm('tables?', '(?! of contents)'),
  bullets: { wanted: /\bbullet(?:s|ed)?\b/u, named: /\bbullet/u },
  json: asForm('json'),
  csv: asForm('csv'),
  yaml: asForm('yaml'),
  xml: asForm('xml'),
  html: asForm('html'),
  markdown: asForm('markdown'),
  latex: asForm('latex'),
  verse: {
    wanted: /\b(?:poem|haiku|limerick|sonnet|rhymes?|rhyming|as a (?:song|rap))\b/u,
    named: /\b(?:poem|haiku|limerick|sonnet|rhym\w*|song|rap|verse)\b/u,
  },
  word: {
    wanted: /\b(?:in|just|only) (?:1|a single) word\b|\b1 word (?:answer|only|please)\b/u,
    named: /\bword/u,
  },
  sentence: {
    wanted: /\b(?:in|just|only|max|maximum) (?:\w+ )?(?:single )?sentences?\b|\bsentences? (?:only|max)\b/u,
    named: /\b(?:sentence|line|brief|short)/u,
  },
  paragraph: { wanted: /\bin (?:a |1 |\d+ )?(?:\w+ )?paragraphs?\b/u, named: /\bparagraph/u },
  bare: {
    wanted:
      /\b(?:code|command|answer|number|name|link|numbers|result|figure) only\b|\b(?:only|just) (?:the |a )?(?:code|command|answer|number|result|figure)\b|\b(?:no|without|skip the) (?:any )?explanations?\b/u,
    named: /\b(?:only|just|nothing|no|not|without|single|1)\b/u,
  },
  drawing: asForm('chart|diagram|timeline|flow ?chart|mind map|infographic|graph'),
  cards: {
    wanted: /\b(?:checklist|flash ?cards?|slides?|slideshow|powerpoint|infographic|poster)\b/u,
    named: /\b(?:check|card|slide|powerpoint|presentation|infographic|poster)/u,
  },
  letter: {
    wanted:
      /\b(?:put|turn|make|phrase|format|write)\b (?:it|this|that)? ?(?:as|into|like) an? (?:\w+ )?(?:letter|email|tweet|text|script|dialogue|essay|speech|blog post)\b/u,
    named: /\b(?:letter|email|mail|tweet|text|script|dialogue|essay|speech|blog|message|msg)/u,
  },
  numbered: { wanted: /\bnumbered (?:list|steps?)\b/u, named: /\b(?:number|step|list)/u },
  digits: asForm('hex|hexadecimal|binary|octal|roman numerals?|scientific notation'),
};

export const format: Veto = ({ left, right }) => {
  for (const [form, { wanted, named }] of Object.entries(FORMS)) {
    const isOnly = (text: string, other: string) => wanted.test(text) && !named.test(other);
    if (isOnly(left.facts.whole, right.facts.whole) || isOnly(right.facts.whole, left.facts.whole)) {
      return { kind: 'format', detail: form };
    }
  }
  return null;
};
