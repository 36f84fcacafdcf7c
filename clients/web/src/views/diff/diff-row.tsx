/** One line of two texts side by side. */
import type { DiffLine, Span } from './line-diff.ts';

interface DiffRowProperties {
  readonly line: DiffLine;
  /** Whether there is one text only. */
  readonly isSingle?: boolean;
}

export function DiffRow({ line: { left, right, isChanged }, isSingle = false }: DiffRowProperties) {
  return (
    <tr class={isChanged ? 'changed' : ''}>
      <td class={left === null ? 'absent' : ''}>
        {left?.map((span, index) => (
          <Text key={index} span={span} tag="del" />
        ))}
      </td>
      {!isSingle && (
        <td class={right === null ? 'absent' : ''}>
          {right?.map((span, index) => (
            <Text key={index} span={span} tag="ins" />
          ))}
        </td>
      )}
    </tr>
  );
}

function Text({ span: { text, isChanged }, tag: Tag }: { span: Span; tag: 'del' | 'ins' }) {
  return isChanged ? <Tag>{text}</Tag> : text;
}
