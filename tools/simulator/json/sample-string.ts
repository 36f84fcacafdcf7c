/** Strings that a reader finds plausible, by the name of their property, their format and the question. */

import { Chance } from '../text/chance.ts';
import type { Question } from '../text/question.ts';
import { matchesPattern } from './fits-schema.ts';
import { samplePattern } from './sample-pattern.ts';
import { numberIn, type Schema } from './schema.ts';

export interface Hints {
  readonly question: Question;
  /** Makes every free string differ from those of other answers; '' for none. */
  readonly draft: string;
}

interface StringOrder {
  readonly schema: Schema;
  /** The name of the property; '' for none. */
  readonly name: string;
  /** Other numbers give other strings. */
  readonly variant: number;
  readonly hints: Hints;
}

const FORMATS: Readonly<Record<string, (variant: number) => string>> = {
  date: (variant) => `2026-03-${twoDigits(14 + variant)}`,
  time: (variant) => `09:${twoDigits(30 + variant)}:00Z`,
  'date-time': (variant) => `2026-03-14T09:${twoDigits(30 + variant)}:00Z`,
  duration: (variant) => `PT${15 + variant}M`,
  email: (variant) => `ada${variant || ''}@example.com`,
  'idn-email': (variant) => `ada${variant || ''}@example.com`,
  hostname: (variant) => `host${variant || ''}.example.com`,
  'idn-hostname': (variant) => `host${variant || ''}.example.com`,
  ipv4: (variant) => `192.0.2.${1 + (variant % 200)}`,
  ipv6: (variant) => `2001:db8::${(1 + variant).toString(16)}`,
  uri: (variant) => `https://example.com/${variant || ''}`,
  iri: (variant) => `https://example.com/${variant || ''}`,
  'uri-reference': (variant) => `/page/${variant}`,
  'iri-reference': (variant) => `/page/${variant}`,
  'uri-template': (variant) => `/page/${variant}/{id}`,
  uuid: (variant) => `3f2504e0-4f89-41d3-9a0c-${(0x305e82c3301 + variant).toString(16).padStart(12, '0')}`,
  'json-pointer': (variant) => `/items/${variant}`,
  'relative-json-pointer': (variant) => `${variant}/items`,
  regex: (variant) => `^a{${variant + 1}}$`,
};

const BY_NAME: readonly (readonly [RegExp, (question: Question) => string])[] = [
  [/^(first|given)_?name$/, () => 'Ada'],
  [/^(last|family|sur)_?name$/, () => 'Lovelace'],
  [/^((full|user|customer|author|person)_?)?name$|^author$|^person$/, () => 'Ada Lovelace'],
  [/city|town|place|location|destination/, ({ place }) => place ?? 'Lisbon'],
  [/country|nation/, () => 'Portugal'],
  [/street|address/, () => '12 Harbour Street'],
  [/e_?mail/, () => 'ada@example.com'],
  [/phone|mobile/, () => '+351 21 000 0000'],
  [/url|link|website|homepage/, () => 'https://example.com/'],
  [/date|day$/, () => '2026-03-14'],
  [/time$/, () => '09:30'],
  [/currency/, () => 'EUR'],
  [/language|locale/, () => 'en'],
  [/colou?r/, () => 'blue'],
  [/^units?$/, () => 'celsius'],
  [/^(id|.*_id)$/, () => 'item-1'],
  [/query|question|search|topic|subject|keyword|^q$/, ({ phrase }) => unquoted(phrase)],
  [/title|headline/, ({ phrase }) => `About ${unquoted(phrase)}`],
  [
    /summary|description|text|answer|content|message|reason|explanation|comment|body/,
    ({ phrase }) => `A simulated answer about ${unquoted(phrase)}.`,
  ],
];

const REPEATS = 40;
const PLAIN_VARIANTS = 12;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const FILLER = ' and so on';

export function sampleString({ schema, name, variant, hints }: StringOrder): string {
  const least = numberIn(schema, 'minLength') ?? 0;
  const most = numberIn(schema, 'maxLength') ?? Number.POSITIVE_INFINITY;
  const { pattern, format } = schema;
  // What a negation forbids is not known, so shorter and shorter texts are tried.
  if ('not' in schema && variant >= PLAIN_VARIANTS)
    return LETTERS.slice(0, Math.max(least, variant % PLAIN_VARIANTS));
  const formatted =
    typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format]?.(variant) : undefined;
  const readable = formatted ?? fitLength(readableString(name, variant, hints, most), least, most);
  if (typeof pattern !== 'string' || matchesPattern(pattern, readable)) return readable;
  for (let extra = 0; extra <= Math.max(REPEATS, least); extra += 1) {
    const text = samplePattern(pattern, new Chance(31 * variant + extra), extra);
    if (text === null) break;
    // A pattern without anchors allows any text around the match.
    const fitted = matchesPattern(pattern, text) ? fitLength(text, least, most) : text;
    if (length(fitted) >= least && length(fitted) <= most && matchesPattern(pattern, fitted)) return fitted;
  }
  return readable;
}

function readableString(name: string, variant: number, { question, draft }: Hints, most: number): string {
  const plain = name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
  const known = BY_NAME.find(([pattern]) => pattern.test(plain))?.[1](question);
  const words = plain.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  const text = known ?? (words === '' ? 'sample' : `Sample ${words}`);
  const whole = `${draft === '' ? '' : `${draft} `}${text}`;
  const ending = variant === 0 ? '' : ` ${variant + 1}`;
  if (length(whole) + ending.length <= most) return whole + ending;
  const digits = variant === 0 ? '' : variant.toString(36);
  return (
    Array.from(whole)
      .slice(0, Math.max(0, most - digits.length))
      .join('') + digits
  );
}

function fitLength(text: string, least: number, most: number): string {
  const points = Array.from(text);
  if (points.length > most) return points.slice(0, most).join('');
  if (points.length >= least) return text;
  return (
    text + FILLER.repeat(Math.ceil((least - points.length) / FILLER.length)).slice(0, least - points.length)
  );
}

function length(text: string): number {
  return Array.from(text).length;
}

function unquoted(phrase: string): string {
  return phrase.replace(/[“”]/g, '');
}

function twoDigits(number: number): string {
  return String(number % 28 || 28).padStart(2, '0');
}
