/** The parts of an answer that a question asks for: a list, steps, a table, code, a summary, a poem. */
import type { Chance } from './chance.ts';
import {
  CODE,
  CODE_LEADS,
  COUPLETS,
  LIST_ITEMS,
  LIST_LEADS,
  POEM_TITLES,
  STEP_LEADS,
  STEPS,
  SUMMARIES,
  TABLE_HEAD,
  TABLE_LEADS,
  TABLE_ROWS,
} from './markdown-data.ts';
import type { Form, Question } from './question.ts';

const FIRST_ROWS = 4;

const WRITERS: Readonly<Record<Exclude<Form, 'headings'>, (chance: Chance, question: Question) => string>> = {
  poem: (chance) => {
    const couplets = chance.shuffle(COUPLETS).slice(0, 4);
    // Two spaces at the end of a line would be a break as well, but many editors remove them.
    const verses = couplets.map(([first, second]) => `${first}\\\n${second}`);
    return [chance.pick(POEM_TITLES), ...verses].join('\n\n');
  },
  list: (chance) => {
    const [first = '', ...others] = LIST_ITEMS;
    const items = [first, ...chance.shuffle(others).slice(0, 4 + chance.below(3))];
    return `${chance.pick(LIST_LEADS)}\n\n${items.map((item) => `- ${item}`).join('\n')}`;
  },
  steps: (chance) =>
    `${chance.pick(STEP_LEADS)}\n\n${STEPS.map((step, index) => `${index + 1}. ${step}`).join('\n')}`,
  table: (chance) => {
    const rows = chance.shuffle(TABLE_ROWS).slice(0, FIRST_ROWS + chance.below(3));
    const lines = [TABLE_HEAD, TABLE_HEAD.map(() => '---'), ...rows].map(
      (cells) => `| ${cells.join(' | ')} |`,
    );
    return `${chance.pick(TABLE_LEADS)}\n\n${lines.join('\n')}`;
  },
  code: (chance, { language, phrase }) => {
    const subject = phrase.replace(/[“”'’"…\\$]/g, '').trim();
    const code = CODE[language].replaceAll('{question}', () => `Tell me about ${subject}.`);
    return `${chance.pick(CODE_LEADS)}\n\n\`\`\`${language}\n${code}\n\`\`\``;
  },
  summary: (chance) => chance.pick(SUMMARIES),
};

/** In the order in which an answer has them; the summary comes last. */
export function writeParts(chance: Chance, question: Question): string[] {
  const forms = (Object.keys(WRITERS) as (keyof typeof WRITERS)[]).filter((form) => question.forms.has(form));
  return forms.map((form) => WRITERS[form](chance, question).replaceAll('{phrase}', () => question.phrase));
}
