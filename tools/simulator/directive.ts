/**
 * Directives in the prompt set length, pace and kind of the answer, for tests and demonstrations:
 * `[[sim tokens=400 delay_ms=10 first_ms=50]]`, `[[sim tool=get_weather calls=2 say=7]]`, `[[sim reasoning=20]]`,
 * `[[sim tool=read args=eyJwYXRoIjoiYSJ9]]` (JSON in base64url), `[[sim cached=100 cache_write=10]]`,
 * `[[sim script=mixed]]`, `[[sim seeded=1]]` (another answer for each `seed`), `[[sim gap_at=3 gap_ms=20000
 * ping_ms=500]]` (without `gap_ms`, it is silent until it is released), `[[sim continue=restart]]` (or `repeat`,
 * `paraphrase`). Those of the last user turn that has one count; of two settings of one name, the later.
 */
import { type Message, partsOf } from '../../contracts/content.ts';

const DIRECTIVE = /\[\[sim ([^\]]*)\]\]/g;

export interface Directive {
  number(name: string): number | undefined;
  word(name: string): string | undefined;
  /** The JSON value that the word is in base64url. */
  json(name: string): unknown;
}

/** @param system where no user turn has a directive. */
export function readDirective(messages: readonly Message[], system = ''): Directive {
  const others = messages.filter(({ role }) => role !== 'user' && role !== 'assistant').map(textsOf);
  const users = messages.filter(({ role }) => role === 'user').map(textsOf);
  const text = [system, ...others, ...users].findLast((own) => own.search(DIRECTIVE) >= 0) ?? '';
  const settings = [...text.matchAll(DIRECTIVE)].map(([, inner]) => inner).join(' ');
  const settingOf = (name: string, pattern: string) =>
    [...settings.matchAll(new RegExp(`\\b${name}=(${pattern})`, 'g'))].at(-1)?.[1];
  return {
    number: (name) => {
      const digits = settingOf(name, '\\d+(?:\\.\\d+)?');
      return digits === undefined ? undefined : Number(digits);
    },
    word: (name) => settingOf(name, '[\\w-]+'),
    json: (name) => {
      const encoded = settingOf(name, '[\\w-]+');
      return encoded === undefined ? undefined : JSON.parse(Buffer.from(encoded, 'base64url').toString());
    },
  };
}

function textsOf(message: Message): string {
  return partsOf(message)
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join(' ');
}

export function withoutDirectives(text: string): string {
  return text.replace(DIRECTIVE, ' ');
}
