/**
 * Templates: text with `{{name}}`; white space inside the braces is ignored. A template is parsed once and filled in
 * one pass, so a value that contains `{{other}}` is not expanded: no variable can insert another.
 *
 * A backslash escapes `{{`: `\{{` is the text `{{`, and `\\{{name}}` is a backslash before a value. All other text,
 * including `}}` and a backslash elsewhere, stands for itself.
 */
// A match starts only at the start of a run of backslashes, so that a long run is not tried from each of its places.
const PLACEHOLDER = /(?<!\\)(\\*)\{\{([^{}]*)(\}\})?/g;
const NAME = /^\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*$/;

export type TemplateSegment = { readonly text: string } | { readonly variable: string };

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** What may stand between the braces. */
export interface TemplatePlace {
  /** The variable that it names; undefined if it names none. */
  readonly variableIn: (inside: string) => string | undefined;
  /** As a message shows it. */
  readonly form: string;
}

const NAMED: TemplatePlace = { variableIn: (inside) => NAME.exec(inside)?.[1], form: '{{name}}' };

/** Throws TemplateError with the line of the fault. */
export function parseTemplate(source: string, place: TemplatePlace = NAMED): readonly TemplateSegment[] {
  const segments: TemplateSegment[] = [];
  let text = '';
  let from = 0;
  for (const match of source.matchAll(PLACEHOLDER)) {
    const [whole, backslashes = '', inside = '', closing] = match;
    text += source.slice(from, match.index) + '\\'.repeat(Math.floor(backslashes.length / 2));
    if (backslashes.length % 2 === 1) {
      text += '{{';
      from = match.index + backslashes.length + 2;
      continue;
    }
    const name = closing === undefined ? undefined : place.variableIn(inside);
    if (name === undefined) {
      const fault = closing === undefined ? 'has no }}' : `is no ${place.form}`;
      throw new TemplateError(faultOf(source, match.index, whole, fault));
    }
    if (text !== '') segments.push({ text });
    segments.push({ variable: name });
    text = '';
    from = match.index + whole.length;
  }
  text += source.slice(from);
  if (text !== '') segments.push({ text });
  return segments;
}

export function variablesOf(segments: readonly TemplateSegment[]): string[] {
  return segments.flatMap((segment) => ('variable' in segment ? [segment.variable] : []));
}

export function fillTemplate(
  segments: readonly TemplateSegment[],
  values: ReadonlyMap<string, string>,
): string {
  return segments
    .map((segment) => ('text' in segment ? segment.text : (values.get(segment.variable) ?? '')))
    .join('');
}

function faultOf(source: string, index: number, found: string, fault: string): string {
  const line = source.slice(0, index).split('\n').length;
  const shown = found.length > 40 ? `${found.slice(0, 40)}...` : found;
  return `line ${line}: "${shown}" ${fault}; write \\{{ where braces are meant`;
}
