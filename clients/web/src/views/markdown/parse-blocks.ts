/**
 * Markdown as a list of blocks (paragraph, list, table, code), each a tree that a sanitizer has passed. While text
 * still arrives, only the last block is parsed again: what follows cannot change a block that has ended. A link
 * reference that is defined later is the exception, so the whole text is parsed once more at its end.
 */
import { defaultSchema, type Schema, sanitize } from 'hast-util-sanitize';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toHast } from 'mdast-util-to-hast';
import { gfm } from 'micromark-extension-gfm';

type SafeTree = ReturnType<typeof sanitize>;

export interface Block {
  /** Where it ends in the text. */
  readonly end: number;
  readonly tree: SafeTree;
}

export interface Parsed {
  readonly text: string;
  readonly blocks: readonly Block[];
}

export const NOTHING: Parsed = { text: '', blocks: [] };

/** HTML is text like any other: a model's `<br>` is shown, never parsed. */
const extensions = [gfm(), { disable: { null: ['htmlFlow', 'htmlText'] } }];
const mdastExtensions = [gfmFromMarkdown()];
const schema: Schema = {
  ...defaultSchema,
  protocols: { href: ['http', 'https', 'mailto'], src: ['http', 'https'] },
};

/** @param before what this returned for a beginning of the text; its finished blocks are kept, as the same objects. */
export function parseBlocks(text: string, before: Parsed): Parsed {
  const kept = text.startsWith(before.text) ? before.blocks.slice(0, -1) : [];
  const from = kept.at(-1)?.end ?? 0;
  const root = fromMarkdown(text.slice(from), { extensions, mdastExtensions });
  const fresh = root.children.map((node): Block => {
    const end = from + (node.position?.end.offset ?? 0);
    return { end, tree: sanitize(toHast({ type: 'root', children: [node] }), schema) };
  });
  return { text, blocks: [...kept, ...fresh] };
}

/** The blocks of a text that is complete: references are resolved throughout. */
export function parseWhole(text: string): Parsed {
  const root = fromMarkdown(text, { extensions, mdastExtensions });
  return { text, blocks: [{ end: text.length, tree: sanitize(toHast(root), schema) }] };
}
