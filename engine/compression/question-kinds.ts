/** Predicts from the words of a question what its answer looks like; English. */
const NUMBER =
  /\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|third|quarter|twice|once)\b/i;
const TIME = new RegExp(
  [
    String.raw`\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b`,
    String.raw`\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter)\b`,
    String.raw`\b(?:year|month|week|day|hour|minute|second|o'clock|morning|evening)s?\b`,
    String.raw`\b1\d{3}\b|\b20\d{2}\b|\b\d{1,2}:\d{2}\b`,
  ].join('|'),
  'i',
);
/** A capital that does not start a sentence. */
const NAME = /(?<=[\p{Ll}\d,;:)"'’]\s)["'(]?\p{Lu}[\p{L}'’-]+/u;
const REASON =
  /\b(?:because|since|as|so that|due to|owing to|therefore|reason|caused?|in order|thus|hence|led to|result)\b/i;

const KINDS: readonly (readonly [question: RegExp, answer: RegExp])[] = [
  [/\bhow (?:many|much|long|fast|hot|high|far|old|often|large|big|tall|deep|quickly|efficient)\b/i, NUMBER],
  [/\b(?:highest|lowest|price|limit)\b/i, NUMBER],
  [/\bwhen\b/i, TIME],
  [/\bwho(?:m|se)?\b|\bwhere\b/i, NAME],
  [/\bwhy\b|\breason\b|\bcause\b/i, REASON],
];

/** null if the question does not show it. */
export function answerKind(question: string): RegExp | null {
  return KINDS.find(([pattern]) => pattern.test(question))?.[1] ?? null;
}

/** Rules and warnings: a text without them demands something else. */
export const FIRM =
  /\b(?:must|never|always|do not|don't|only|required|forbidden|not allowed|may not|at least|at most|no later|shall|warning|important)\b/i;
