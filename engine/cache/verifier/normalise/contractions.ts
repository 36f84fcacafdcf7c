/** Contractions and what people type instead of words, written out. */

/** Read in any case, before the text is split into words. */
const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bcan['’]?t\b|\bcannot\b/giu, 'can not'],
  [/\bwon['’]?t\b/giu, 'will not'],
  [/\bshan['’]?t\b/giu, 'shall not'],
  [/\bain['’]?t\b/giu, 'is not'],
  [/\b(do|does|did|is|are|was|were|could|should|would|have|has|had|must|need)n['’]?t\b/giu, '$1 not'],
  [/n['’]t\b/giu, ' not'],
  [/\b(i|you|we|they)['’]ve\b|\b(you|they)ve\b/giu, '$1$2 have'],
  [/\bive\b/giu, 'i have'],
  [/\b(i|you|we|they|he|she|it|that|this|there|who|what)['’]ll\b|\b(you|they|it|that)ll\b/giu, '$1$2 will'],
  [/\b(i|you|we|they|he|she)['’]d (like|love|rather)\b/giu, '$1 would $2'],
  [/\bi['’]?m\b/giu, 'i am'],
  [/\b(you|we|they|what|how|where)['’]re\b|\b(you|they)re\b/giu, '$1$2 are'],
  [/\b(what|who|where|when|how|why|it|that|there|here|he|she|which|whats)['’]s\b/giu, '$1 is'],
  [/\b(what|where|when|who|how|why|that|there|here|he|she)s\b/giu, '$1 is'],
  [/\blet['’]s\b/giu, 'let us'],
  [/\b(gon|wan)na\b/giu, '$1na to'],
  [/\bgonna to\b/giu, 'going to'],
  [/\bwanna to\b/giu, 'want to'],
  [/\bgotta\b/giu, 'have to'],
  [/\bgimme\b/giu, 'give me'],
  [/\blemme\b/giu, 'let me'],
  [/\bdunno\b/giu, 'do not know'],
  [/\b(could|should|would|might)(?:a| of|['’]ve)\b/giu, '$1 have'],
  [/(?<![\p{L}\d/])w\/o(?![\p{L}\d/])/giu, 'without'],
  [/(?<![\p{L}\d/])w\/ ?(?=\p{L})/giu, 'with '],
  [/(?<![\p{L}\d/])b\/c(?![\p{L}\d/])/giu, 'because'],
  [/(?<![\p{L}\d.])e\.g\.(?![\p{L}\d])/giu, 'for example'],
  [/(?<![\p{L}\d.])i\.e\.(?![\p{L}\d])/giu, 'that is'],
];

export function expandContractions(text: string): string {
  let expanded = text;
  for (const [pattern, replacement] of CONTRACTIONS) expanded = expanded.replace(pattern, replacement);
  return expanded;
}
