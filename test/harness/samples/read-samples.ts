/** The samples of code in Markdown, and what a comment above each one says about how it is tested. */

export interface Sample {
  /** Where it starts, as `docs/cli.md:13`. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
  readonly handling: Handling;
}

type Handling =
  | { readonly kind: 'run' }
  /** Why it cannot run here, and what checks it instead. */
  | { readonly kind: 'not run'; readonly reason: string }
  /** It is part of this file, which another test runs. */
  | { readonly kind: 'part of'; readonly path: string }
  /** Names that the page leaves to its reader. */
  | { readonly kind: 'with'; readonly names: readonly string[] };

const FENCE = /^( *)```(\S*)[^\n]*\n([\s\S]*?)^ *```$/gm;
const MARK = /<!-- sample: (.+?) -->\s*$/;

export function samplesOf(path: string, markdown: string): Sample[] {
  return [...markdown.matchAll(FENCE)].map((match) => {
    const [, indent = '', language = '', code = ''] = match;
    const before = markdown.slice(0, match.index);
    return {
      place: `${path}:${before.split('\n').length}`,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      handling: handlingOf(MARK.exec(before)?.[1]),
    };
  });
}

function handlingOf(mark: string | undefined): Handling {
  if (mark === undefined) return { kind: 'run' };
  const [, kind, rest = ''] = /^(not run: |part of |with )(.+)$/.exec(mark) ?? [];
  if (kind === 'not run: ') return { kind: 'not run', reason: rest };
  if (kind === 'part of ') return { kind: 'part of', path: rest };
  if (kind === 'with ') return { kind: 'with', names: rest.split(', ') };
  throw new Error(
    `a sample is marked "${mark}"; known are "not run: <reason>", "part of <path>", "with <names>"`,
  );
}
