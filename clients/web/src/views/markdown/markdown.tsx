/**
 * Markdown as elements. No HTML is made of it: the parser's tree passes a sanitizer and becomes components, so the
 * page's security policy can forbid HTML from strings altogether. Loaded when the first answer is shown.
 */
import { toJsxRuntime } from 'hast-util-to-jsx-runtime';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Fragment, jsx, jsxs } from 'preact/jsx-runtime';
import { CodeBlock } from './code-block.tsx';
import { type Block, NOTHING, type Parsed, parseBlocks, parseWhole } from './parse-blocks.ts';

/** Parsing takes at most this share of the time, however long the last block is. */
const PARSING_SHARE = 0.2;

interface MarkdownProps {
  readonly text: string;
  readonly isWhole: boolean;
}

export function Markdown({ text, isWhole }: MarkdownProps) {
  const { blocks } = useParsed(text, isWhole);
  return (
    <div class="markdown">
      {blocks.map((block, index) => (
        <Fragment key={index}>{elementOf(block)}</Fragment>
      ))}
    </div>
  );
}

function useParsed(text: string, isWhole: boolean): Parsed {
  const latest = useRef({ parsed: NOTHING, isWhole: false, restUntil: 0 });
  const [, drawAgain] = useState(0);
  const { current } = latest;
  const restMs = current.restUntil - performance.now();
  const isStale = current.parsed.text !== text || current.isWhole !== isWhole;
  if (isStale && (isWhole || restMs <= 0)) {
    const startedAt = performance.now();
    current.parsed = isWhole ? parseWhole(text) : parseBlocks(text, current.parsed);
    current.isWhole = isWhole;
    const endedAt = performance.now();
    current.restUntil = endedAt + (endedAt - startedAt) * (1 / PARSING_SHARE - 1);
  }
  useEffect(() => {
    if (current.parsed.text === text) return;
    const timer = setTimeout(() => drawAgain((draws) => draws + 1), Math.max(0, restMs));
    return () => clearTimeout(timer);
  }, [text, current, restMs]);
  return current.parsed;
}

/** The same element for the same block, which Preact then does not compare again. */
const elements = new WeakMap<Block, VNode>();

function elementOf(block: Block): VNode {
  const known = elements.get(block);
  if (known !== undefined) return known;
  const element: VNode = toJsxRuntime(block.tree, {
    Fragment,
    jsx,
    jsxs,
    elementAttributeNameCase: 'html',
    components: { a: Link, img: ImageLink, pre: CodeBlock, table: Table },
  });
  elements.set(block, element);
  return element;
}

interface LinkProps {
  readonly href?: string;
  readonly children?: ComponentChildren;
}

/** Only to another site: a model must not lead to a place of this page. */
function Link({ href = '', children }: LinkProps) {
  if (!/^(https?:|mailto:)/i.test(href)) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** An image is not loaded: its address could carry what the conversation says to another site. */
function ImageLink({ src, alt }: { src?: string; alt?: string }) {
  return <Link href={src ?? ''}>{alt === undefined || alt === '' ? 'image' : alt}</Link>;
}

/** A wide table scrolls by itself, also by keyboard. */
function Table({ children }: { children?: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
    <section class="scrolls" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </section>
  );
}
