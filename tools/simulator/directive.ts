/**
 * A directive in the prompt sets length, pace and kind of the answer, for tests and demonstrations:
 * `[[sim tokens=400 delay_ms=10 first_ms=50]]`, `[[sim tool=get_weather calls=2 say=7]]`, `[[sim reasoning=20]]`,
 * `[[sim tool=read args=eyJwYXRoIjoiYSJ9]]` (JSON in base64url), `[[sim cached=100 cache_write=10]]`,
 * `[[sim script=mixed]]`. The first one in the conversation counts.
 */
export interface Directive {
  number(name: string): number | undefined;
  word(name: string): string | undefined;
  /** The JSON value that the word is in base64url. */
  json(name: string): unknown;
}

export function readDirective(prompt: string): Directive {
  const settingOf = (name: string, pattern: string) =>
    new RegExp(`\\[\\[sim [^\\]]*\\b${name}=(${pattern})`).exec(prompt)?.[1];
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

export function withoutDirectives(text: string): string {
  return text.replace(/\[\[sim [^\]]*\]\]/g, ' ');
}
