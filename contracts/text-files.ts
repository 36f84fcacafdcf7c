/** Files of text, which every model reads as text: by their type, or by their name where the type says nothing. */
import type { FilePart } from './content.ts';

const TEXT_TYPE =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml)$|application\/(?:x-)?(?:yaml|toml|ndjson|jsonl|javascript|typescript|sql|sh)$)/i;
const NO_TYPE = /^application\/octet-stream$/i;
const TEXT_NAME =
  /\.(?:txt|md|markdown|csv|tsv|json|jsonl|ndjson|ya?ml|toml|xml|html?|css|[cm]?js|[cm]?ts|jsx|tsx|py|rb|go|rs|java|c|h|cpp|cs|php|sh|sql|log|ini|tex)$/i;

/** Whether a file with a data URL is one of text. */
export function isTextFile({ url, name = '' }: Pick<FilePart, 'url' | 'name'>): boolean {
  const type = /^data:([^;,]+);base64,/.exec(url)?.[1];
  if (type === undefined) return false;
  return TEXT_TYPE.test(type) || (NO_TYPE.test(type) && TEXT_NAME.test(name));
}
