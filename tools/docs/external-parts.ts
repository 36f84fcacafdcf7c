/**
 * Moves what VitePress writes inside each page into files: its scripts, and the styles of code and of elements. So the
 * site works under a security policy that allows only files of the same origin.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformerStyleToClass } from '@shikijs/transformers';
import type { TransformContext } from 'vitepress';

const INLINE_SCRIPT = /\s*<script id="[\w-]+">([\s\S]*?)<\/script>/g;
/** `style.css` says the same. Once it runs, the site sets them through the DOM, which the policy allows. */
const STYLES_OF_ELEMENTS = [' style="position:relative;"', ' style="--vp-vh:0px;"'];

export class ExternalParts {
  readonly #codeStyles = transformerStyleToClass();

  /** Takes the colours of highlighted code. */
  get codeTransformer() {
    return this.#codeStyles;
  }

  /** VitePress renders pages after it has highlighted the code of all of them, so the styles are complete here. */
  transformHtml(html: string, { siteConfig }: Pick<TransformContext, 'siteConfig'>): string {
    const scripts = [...html.matchAll(INLINE_SCRIPT)].map(([, script]) => script);
    const file = (name: string, ending: string, text: string) => {
      const hash = createHash('sha256').update(text).digest('base64url').slice(0, 8);
      const path = `${siteConfig.assetsDir}/${name}.${hash}.${ending}`;
      if (!existsSync(join(siteConfig.outDir, path))) writeFileSync(join(siteConfig.outDir, path), text);
      return siteConfig.site.base + path;
    };
    const head =
      `<link rel="stylesheet" href="${file('code', 'css', this.#codeStyles.getCSS())}">` +
      `<script src="${file('before-paint', 'js', scripts.join('\n'))}"></script></head>`;
    return STYLES_OF_ELEMENTS.reduce((text, style) => text.replaceAll(style, ''), html)
      .replace(INLINE_SCRIPT, '')
      .replace('</head>', head);
  }
}
