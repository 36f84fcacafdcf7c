/**
 * The labelled pairs of test/cache/pairs: `?` a prompt, `=` one that asks the same, `! kind` one that does not.
 * docs/semantic-cache.md says how they were made.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const DIFFERENCE_KINDS = [
  'negation',
  'number',
  'unit',
  'date',
  'entity',
  'roles',
  'antonym',
  'scope',
  'version',
  'format',
  'language',
  'question',
] as const;
type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

interface LabelledPair {
  readonly domain: string;
  readonly group: string;
  readonly part: 'tune' | 'report';
  readonly ask: string;
  readonly other: string;
  /** null: both ask the same. */
  readonly differs: DifferenceKind | null;
}

const FOLDER = join(import.meta.dirname, 'pairs');
const TUNE_SHARE = 0.6;

/** Written after the first figures, to tune on more; none of it is reported. */
const TUNE_ONLY: ReadonlySet<string> = new Set(['practice', 'practice-2']);
/** Written when the verifier was done, and none of it tuned on. */
const REPORT_ONLY = 'fresh';

/** By group, so that no prompt is in both parts; by a hash of its name, so that nobody chose. */
function partOf(domain: string, group: string): LabelledPair['part'] {
  if (TUNE_ONLY.has(domain)) return 'tune';
  if (domain === REPORT_ONLY) return 'report';
  const first = createHash('sha256').update(group).digest().readUInt16BE(0);
  return first / 65_536 < TUNE_SHARE ? 'tune' : 'report';
}

export function readLabelledPairs(): LabelledPair[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((name) => readDomain(join(FOLDER, name)));
}

function readDomain(path: string): LabelledPair[] {
  const pairs: LabelledPair[] = [];
  const domain = basename(path, '.txt');
  let group = '';
  let ask = '';
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const text = line.slice(2);
    const add = (other: string, differs: DifferenceKind | null) =>
      pairs.push({ domain, group, part: partOf(domain, group), ask, other, differs });
    if (line.startsWith('# ')) group = text;
    else if (line.startsWith('? ')) ask = text;
    else if (line.startsWith('= ')) add(text, null);
    else if (line.startsWith('! ')) {
      const space = text.indexOf(' ');
      const kind = DIFFERENCE_KINDS.find((known) => known === text.slice(0, space));
      if (kind === undefined) throw new Error(`${path}:${index + 1}: unknown kind ${text.slice(0, space)}`);
      add(text.slice(space + 1), kind);
    } else if (line !== '') throw new Error(`${path}:${index + 1}: unknown line ${line}`);
  }
  return pairs;
}
