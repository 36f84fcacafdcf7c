/** Times of the day, dates and durations that have several notations, in one of them. */

export const MONTHS: readonly string[] =
  'january february march april may june july august september october november december'.split(' ');
export const WEEKDAYS: readonly string[] = 'monday tuesday wednesday thursday friday saturday sunday'.split(
  ' ',
);
const HOUR_WORDS = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
const AN_HOUR = `${HOUR_WORDS.join('|')}|1[0-2]|[1-9]`;
const HOUR = `(${AN_HOUR})`;
const NO_UNIT = String.raw`(?! ?(?:\d|%|percent|hours?|hrs?|min|days?|weeks?|months?|years?|people|times|hundred|thousand|million|dozen|k\b))`;
const HALF_PAST = new RegExp(String.raw`\bhalf (?:past |)${HOUR}\b${NO_UNIT}`, 'giu');
const QUARTER = new RegExp(String.raw`\b(?:a )?quarter (past|after|to|till|of) ${HOUR}\b${NO_UNIT}`, 'giu');
const MINUTES_FROM = new RegExp(
  String.raw`(?<!\b(?:from|between) )\b(five|ten|twenty(?:[ -]five)?|5|10|20|25)(?: minutes| mins)? (past|to|till) ${HOUR}\b${NO_UNIT}`,
  'giu',
);
const MINUTES: Readonly<Record<string, number>> = { five: 5, ten: 10, twenty: 20 };
const PART_OF_DAY = new RegExp(
  String.raw`\b(clock\d{4}x|${AN_HOUR}) (?:o['’]?clock )?(in the morning|in the afternoon|in the evening|at night)\b`,
  'giu',
);
const MONTH_AND_YEAR = /(?<![\d/])(0?[1-9]|1[0-2])\/(20\d\d)(?![\d/])/gu;
const SPACED_THOUSANDS = /(?<![\d.,])(\d{1,3})((?: \d{3})+)(?![\d.,])/gu;

const HALVES: readonly (readonly [RegExp, string])[] = [
  [/\bhalf (?:an hour|hour)\b|\bhalf-hour\b/giu, '30 minutes'],
  [/\b(?:a )?quarter of an hour\b/giu, '15 minutes'],
  [/\bthree quarters of an hour\b/giu, '45 minutes'],
  [/\b(?:an|one|1) hour and a half\b|\bone and a half hours\b/giu, '90 minutes'],
  [/\b(?:a|one|1) year and a half\b|\bone and a half years\b/giu, '18 months'],
  [/\bhalf a year\b/giu, '6 months'],
  [/\bhalf a day\b/giu, '12 hours'],
  [
    /\bhalf an? (?=(?:kilo(?:gram)?|kg|litre|liter|mile|pound|metre|meter|cup|teaspoon|tablespoon|percent|per cent)\b)/giu,
    '0.5 ',
  ],
  [/\b(?:a )?fortnight\b/giu, '2 weeks'],
  [/(\d+) ?h(?:ours?|rs?)? ?(\d\d?)(?: ?m(?:in(?:ute)?s?)?)?\b(?!\.)/giu, '$1 hours $2 minutes'],
];
const CLOCK = /(?<![\d:.])(\d{1,2})(?:[:.](\d\d))? ?(a\.m\.|p\.m\.|am|pm)(?![\p{L}\d])/giu;
const CLOCK_24 = /(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])/gu;
const OCLOCK = /\b(\d{1,2}) ?o['’]?clock\b/giu;
const ISO_DATE = /(?<![\d-])(\d{4})-(\d\d)-(\d\d)(?![\d-])/gu;
const NUMERIC_DATE = /(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d\d)(?![\d/-]|\.\d)/gu;

/** `clock` and four digits; an x if it may be in the morning or in the afternoon. */
export const CLOCK_WORD = /^clock(\d\d)(\d\d)(x?)$/;

export function readTimes(text: string): string {
  let read = text
    .replace(SPACED_THOUSANDS, (_, first, rest) => first + rest.replaceAll(' ', ''))
    .replace(MONTH_AND_YEAR, (_, month, year) => `${MONTHS[Number(month) - 1]} ${year}`)
    .replace(/\b0(\d)(?= (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))/giu, '$1')
    .replace(ISO_DATE, (whole, year, month, day) => dateOf(Number(day), Number(month), year) ?? whole)
    .replace(NUMERIC_DATE, (whole: string, ...[first = '', , second = '', year = '']: string[]) => {
      const [a, b] = [Number(first), Number(second)];
      const century = year.length === 2 ? `20${year}` : year;
      if (a > 12 || a === b) return dateOf(a, b, century) ?? whole;
      return b > 12 ? (dateOf(b, a, century) ?? whole) : `${a} ${b} ${century}`;
    })
    .replace(CLOCK, (whole, hour, minute, half) => {
      const hours = Number(hour);
      if (hours < 1 || hours > 12) return whole;
      return clockOf((hours % 12) + (/^p/i.test(half) ? 12 : 0), minute ?? '00', '');
    })
    .replace(CLOCK_24, (_, hour, minute) => clockOf(Number(hour), minute, Number(hour) > 12 ? '' : 'x'))
    .replace(HALF_PAST, (_, hour) => clockOf(hourOf(hour), '30', 'x'))
    .replace(QUARTER, (_, side, hour) => minutesFrom(15, side, hour))
    .replace(MINUTES_FROM, (_, minutes, side, hour) => minutesFrom(minutesOf(minutes), side, hour))
    .replace(OCLOCK, (_, hour) => clockOf(Number(hour), '00', 'x'))
    .replace(/\b(?:noon|midday)\b/giu, 'clock1200')
    .replace(/\bmidnight\b/giu, 'clock0000')
    .replace(PART_OF_DAY, (whole, time, part) => inPartOfDay(time, part) ?? whole);
  for (const [pattern, replacement] of HALVES) read = read.replace(pattern, replacement);
  return read;
}

function dateOf(day: number, month: number, year: string): string | null {
  const name = MONTHS[month - 1];
  return name === undefined || day < 1 || day > 31 ? null : `${day} ${name} ${year}`;
}

function hourOf(word: string): number {
  return HOUR_WORDS.includes(word.toLowerCase()) ? HOUR_WORDS.indexOf(word.toLowerCase()) + 1 : Number(word);
}

function minutesOf(word: string): number {
  const [tens = '', five] = word.toLowerCase().split(/[ -]/);
  return (MINUTES[tens] ?? Number(tens)) + (five === undefined ? 0 : 5);
}

function minutesFrom(minutes: number, side: string, hour: string): string {
  const isBefore = /^(?:to|till|of)$/i.test(side);
  const total = (hourOf(hour) * 60 + (isBefore ? -minutes : minutes)) % 720;
  return clockOf(Math.floor(total / 60), String(total % 60).padStart(2, '0'), 'x');
}

/** 8 in the evening. */
function inPartOfDay(time: string, part: string): string | null {
  const clock = CLOCK_WORD.exec(time);
  const hours = clock === null ? hourOf(time) : Number(clock[1]);
  if (hours > 12) return null;
  const isLate = !/morning/i.test(part) && !(/night/i.test(part) && hours < 5);
  return clockOf((hours % 12) + (isLate ? 12 : 0), clock?.[2] ?? '00', '');
}

function clockOf(hours: number, minutes: string, unsure: string): string {
  return `clock${String(hours).padStart(2, '0')}${minutes}${unsure}`;
}
