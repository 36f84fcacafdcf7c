/** Draws the Mermaid diagrams of a page as pictures, one for each theme: a page needs no script to show them. */
import { renderMermaidSVG } from 'beautiful-mermaid';

const BLOCK = /^```mermaid\n([\s\S]*?)^```$/gm;
/** Of the widest usual font at the size of a label. */
const CHARACTER_PX = 7;
const THEMES = {
  light: { bg: '#ffffff', fg: '#1f2328', muted: '#424a53', accent: '#0a7d5a', line: '#57606a' },
  dark: { bg: '#1b1b1f', fg: '#dfdfd6', muted: '#c3c3bd', accent: '#5fd3ab', line: '#98989f' },
} as const;

interface Drawn {
  readonly markdown: string;
  /** By name. */
  readonly pictures: ReadonlyMap<string, string>;
}

/** @param folder where the pages find the pictures, as a path from the root of the site. */
export function drawDiagrams(page: string, markdown: string, folder: string): Drawn {
  const pictures = new Map<string, string>();
  let count = 0;
  const drawn = markdown.replaceAll(BLOCK, (_block, diagram: string) => {
    const number = count++;
    const images = Object.entries(THEMES).map(([theme, colours]) => {
      const name = `${page.replaceAll('/', '-')}-${number}-${theme}.svg`;
      pictures.set(name, wideEnough(withoutWebFont(renderMermaidSVG(diagram, colours))));
      return `![The diagram that the text below it describes](/${folder}/${name}){.only-${theme}}`;
    });
    return `${images.join('\n')}\n\n::: details The diagram as text\n\`\`\`text\n${diagram}\`\`\`\n:::`;
  });
  return { markdown: drawn, pictures };
}

/** The renderer forgets the labels of messages that a participant sends to itself when it measures the picture. */
function wideEnough(svg: string): string {
  const ends = [...svg.matchAll(/<text x="([\d.]+)"(?![^>]*text-anchor="middle")[^>]*>([^<]*)</g)].map(
    ([, left, label = '']) => Number(left) + label.length * CHARACTER_PX,
  );
  return svg.replace(/viewBox="0 0 ([\d.]+) ([\d.]+)" width="[\d.]+"/, (_frame, width, height) => {
    const fitting = Math.ceil(Math.max(Number(width), ...ends));
    return `viewBox="0 0 ${fitting} ${height}" width="${fitting}"`;
  });
}

function withoutWebFont(svg: string): string {
  return svg.replace(/^\s*@import url\([^)]*\);\n/gm, '').replaceAll("'Inter', ", '');
}
