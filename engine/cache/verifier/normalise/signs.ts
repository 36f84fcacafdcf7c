/**
 * Signs that prose uses as punctuation or instead of a word, rewritten to it: brackets around a remark, dashes, three
 * dots, `&`, `~5`, `#41`, emphasis, lists. What is left is a sign of a formula, of code, or one that no rule reads.
 */

/** A remark in brackets: it has a word, and no sign of code or formulas. */
const NO_CODE = String.raw`[^()\[\]{}<>=+*^\\|_]`;
const REMARK = new RegExp(
  String.raw`(?<=^|[\s"])\((?=${NO_CODE}*?\p{L}{2})(${NO_CODE}{2,400})\)(?=[\s.,;:?!]|$)`,
  'gu',
);

/** A letter of no language that this product reads. */
export const IDENTIFIER_JOINT = 'ˌ';

const REWRITES: readonly (readonly [RegExp, string])[] = [
  [/[^\S\n]+/gu, ' '],
  [/ ?\n\s*/gu, '\n'],
  [/[“”„«»]/gu, '"'],
  [/[’‘´](?=\p{L})|(?<=\p{L})[’‘´]/gu, "'"],
  [/…/gu, '...'],
  [/[−]/gu, '-'],
  [/(?<=^|[\s=(<>±~])\.(?=\d)/gu, '0.'],
  [/²/gu, '^2'],
  [/³/gu, '^3'],
  [/(?<=\d) ?½/gu, '.5'],
  [/½/gu, ' half '],
  // Faces made of signs.
  [/(?<=^|[\s\p{L}.!?,])[:;=]['-]?[)(DPp/](?=\s|$|[.,!?])/gu, ' '],
  [/(?<=\s)<3(?=\s|$)/gu, ' '],
  [/[~≈](?= ?\d)/gu, 'about '],
  [/(?<=^|\s)#(?=\d)/gu, 'number '],
  [/(?<=^|\s)(?:no|nr)\.? ?(?=\d)/giu, 'number '],
  [/(\d)"(?=[\s,.?!)]|$)(?=[^"]*$)/gu, '$1 inch'],
  [/(?<![\p{L}\d])v(?:er(?:sion)?)?\.? ?(?=\d)/giu, 'version '],
  [/(?<![\p{L}\d])(\p{L}{2,})(?=\d+\.\d)/gu, '$1 '],
  [/(?<=\/ ?s)\^2/gu, ''],
  [/\bnewton[ -]?met(?:er|re)s?\b/giu, 'nm'],
  // The parts of an identifier are one word.
  [/(?<=[\p{L}\d])_(?=[\p{L}\d])/gu, IDENTIFIER_JOINT],
  // Addresses are quotations: they count letter by letter.
  [
    /(?<=^|\s|\()((?:https?:\/\/|www\.)[^\s"<>]+?|[^\s"<>@]+@[^\s"<>@]+\.\p{L}+)(?=[.,;:?!)]*(?:\s|$))/gu,
    '"$1"',
  ],
  [/(?<=^|[\s([=:,])'([^'\n]{1,200}?)'(?=[\s)\],.;:?!]|$)/gu, '"$1"'],
  [/(?<=\p{L}{2})\(s\)/gu, 's'],
  [REMARK, ', $1 ,'],
  [/(?<!\S)(\*{1,2}|_{1,2})(\p{L}[^*_\n]{0,80})\1(?=[\s.,;:?!]|$)/gu, '$2'],
  [/^[ \t]*(?:[-*•–]|\(?\d{1,2}[.)])[ \t]+(?=\S)/gmu, ', '],
  [/(?<=[^\s.])\s?\.{2,4}(?=\s|$)/gu, ' . '],
  [/(?<=[^\s.?!])\s*[?!]*\?[?!]*(?=\s|$|")/gu, '? '],
  [/(?<=\p{L}|")\s*!+(?=\s|$)/gu, '! '],
  [/\s[-–—]+(?=\s)|[–—](?=\p{L})|(?<=\p{L})[–—]|\s[-–—]+$/gu, ' , '],
  [/(?<=\d)[–—](?=\d)/gu, '-'],
  [/(?<=\s)(?:->|→|=>|-->)(?=\s)/gu, ' to '],
  [/(?<=\p{L})\s*&\s*(?=\p{L})|(?<=\s)&(?=\s)/gu, ' and '],
  [/(?<=[\p{L}\d.,?!)"]\s)\+(?=\s?\p{L}{2})|(?<=\p{L}{2})\+(?=\p{L}{2})/gu, ' and '],
  [/(?<=\p{L}{2})\s*\/\s*(?=\p{L}{2,})/gu, ' or '],
  [/(?<=\s)\/(?=\s)/gu, ' or '],
  [/(?<=(?:^|[^\p{L}\d=<>!+*^-])\p{L}{2,}\s)=(?=\s[^=])/gu, ': '],
  [/\s?=(?=\s*(?:\?|how\b|what\b|which\b))/giu, ': '],
  [/(?<=^|\s)@(?=\s?\d)|(?<=\p{L} )@(?= \p{L})/gu, 'at '],
  [/(?<=[\p{L}\d%] )\+(?= [\p{L}\d])/gu, 'plus'],
  [/(?<=\p{L}{2},? )>(?= \p{L}{2})/gu, 'to'],
  // a-z is not z-a, and d-o is not do.
  [/(?<![\p{L}\p{N}-])(\p{L})-(?=\p{L}(?![\p{L}\p{N}-]))/gu, `$1${IDENTIFIER_JOINT}`],
  // mm2
  [/(?<=\b(?:m|cm|mm|km|ft|in))[23](?![\p{L}\d])/gu, '^$&'],
  // no. of, a no.
  [
    /(?<=\b(?:an?|the|this|that|which|what|phone|order|invoice|vat|id) )no\.(?!\w)|\bno\.? (?=of\b)/giu,
    'number ',
  ],
  [/\n/gu, ' , '],
  // No sign stands alone, and no two beside each other.
  [/ +([.,;:?!])(?= |$)/gu, '$1'],
  [/([.,;:?!])[.,;:]+(?= |$)/gu, '$1'],
  [/^[ .,;:]+/gu, ''],
];

/** Faces after a clause show a mood. */
const FACES =
  /(?<=^|[\s\p{L}.,!?)])[\u{1F600}-\u{1F64F}\u{1F910}-\u{1F92F}\u{1F970}-\u{1F97A}\u{1F480}]+(?=\s|$|[.,!?])/gu;
/** In a prompt about what a text says, a face is part of the text. */
const ABOUT_MOOD =
  /\b(?:sentiment|emojis?|emoticons?|reviews?|tone|moods?|means?|meant|feel\w*|translat\w*|texts?|messages?|repl(?:y|ies)|sentences?|captions?|tweets?|posts?|comments?|classif\w*|positive|negative|say|symbols?|unicode|characters?|icons?)\b|:\s/iu;
/** Prompts in capitals say nothing by them. */
const MOSTLY_CAPITALS = 0.6;

export function isInCapitals(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  return letters > 8 && capitals / letters > MOSTLY_CAPITALS;
}

export function readableSigns(text: string): string {
  let readable = text.normalize('NFC');
  if (isInCapitals(readable)) readable = readable.toLowerCase();
  if (!ABOUT_MOOD.test(readable)) readable = readable.replace(FACES, ' ');
  for (const [pattern, replacement] of REWRITES) readable = readable.replace(pattern, replacement);
  return readable;
}
