/** Two versions of a prompt, side by side; below each other on a phone. The same version twice is just shown. */
import { useMemo } from 'preact/hooks';
import type { PromptVersionView } from '../../../../../contracts/prompts.ts';
import { DiffRow } from '../diff/diff-row.tsx';
import { type DiffSection, diffPrompts } from './prompt-diff.ts';

interface DiffTableProperties {
  readonly left: PromptVersionView;
  readonly right: PromptVersionView;
}

export function DiffTable({ left, right }: DiffTableProperties) {
  const sections = useMemo(() => diffPrompts(left.content, right.content), [left, right]);
  const isSingle = left.version === right.version;
  const changed = sections.flatMap(({ lines }) => lines.filter(({ isChanged }) => isChanged)).length;
  return (
    <>
      {!isSingle && (
        <p class="hint">
          {changed === 0
            ? 'The versions do not differ.'
            : `${changed} ${changed === 1 ? 'line differs' : 'lines differ'}.`}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <section class="table-scroll" tabIndex={0} aria-label="Content">
        <table class={isSingle ? 'diff single' : 'diff'}>
          <thead>
            <tr>
              <th scope="col">v{left.version}</th>
              {!isSingle && <th scope="col">v{right.version}</th>}
            </tr>
          </thead>
          {sections.map((section) => (
            <Section key={section.title} section={section} isSingle={isSingle} />
          ))}
        </table>
      </section>
    </>
  );
}

function Section({ section: { title, lines }, isSingle }: { section: DiffSection; isSingle: boolean }) {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={isSingle ? 1 : 2}>
          {title}
        </th>
      </tr>
      {lines.map((line, index) => (
        <DiffRow key={index} line={line} isSingle={isSingle} />
      ))}
    </tbody>
  );
}
