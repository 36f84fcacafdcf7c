/**
 * Builds the package into clients/typescript/dist: JavaScript of two entry points, and types that need no other
 * package. `npm pack` calls it; by hand: `node clients/typescript/build.ts`.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const PACKAGE = import.meta.dirname;
const BUILT = join(PACKAGE, 'dist');
/** The only packages that the JavaScript may import. */
const EXTERNAL = ['eventsource-parser', 'react'];
/** Its declarations are copied, because it has a function. Of all other contracts, the types are written out. */
const COPIED_CONTRACT = 'fold-events';
const CONTRACT_IMPORT = /\{([^}]+)\} from '\.\.\/\.\.\/contracts\/([\w-]+)\.ts'/g;

async function buildPackage(): Promise<void> {
  await buildJavaScript();
  const unfinished = join(BUILT, 'unfinished');
  mkdirSync(unfinished);
  try {
    buildTypes(unfinished);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function buildJavaScript(): Promise<void> {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: PACKAGE,
    logLevel: 'warn',
    // The package must depend on its sources alone, not on the environment.
    envDir: false,
    publicDir: false,
    build: {
      outDir: BUILT,
      emptyOutDir: true,
      target: 'es2022',
      minify: false,
      lib: { entry: ['index.ts', 'use-generation.ts'].map((name) => join(PACKAGE, name)), formats: ['es'] },
      rolldownOptions: {
        external: EXTERNAL,
        output: { entryFileNames: '[name].js', chunkFileNames: 'client.js' },
      },
    },
  });
}

function buildTypes(unfinished: string): void {
  emitDeclarations(join(PACKAGE, 'tsconfig.json'), unfinished);
  const copied = join(unfinished, 'contracts', `${COPIED_CONTRACT}.d.ts`);
  const declarations = [...globSync(join(unfinished, 'clients/typescript/*.d.ts')), copied].map((path) => ({
    name: basename(path),
    text: readFileSync(path, 'utf8').replaceAll("'./", path === copied ? "'../../contracts/" : "'./"),
  }));
  /** By the name of a type: its contract. */
  const wanted = new Map<string, string>();
  for (const { text } of declarations) {
    for (const [, names = '', contract = ''] of text.matchAll(CONTRACT_IMPORT)) {
      if (contract === COPIED_CONTRACT) continue;
      // An import of several lines ends with a comma.
      const written = names.split(',').map((name) => name.trim());
      for (const name of written.filter((each) => each !== '')) wanted.set(name, contract);
    }
  }
  for (const { name, text } of declarations) writeFileSync(join(BUILT, name), withPublishedPaths(text));
  writeFileSync(join(BUILT, 'contracts.d.ts'), contractTypes(wanted, unfinished));
}

function withPublishedPaths(text: string): string {
  return text
    .replaceAll(`'../../contracts/${COPIED_CONTRACT}.ts'`, `'./${COPIED_CONTRACT}.js'`)
    .replaceAll(/'\.\.\/\.\.\/contracts\/[\w-]+\.ts'/g, "'./contracts.js'")
    .replaceAll(/'(\.\/[\w-]+)\.ts'/g, "'$1.js'");
}

/**
 * The types of the contracts are inferred from zod's schemas; written out, they need no zod. The compiler writes a
 * type out if its name is out of scope, so it is made to infer each one through a type inside a function.
 */
function contractTypes(wanted: ReadonlyMap<string, string>, unfinished: string): string {
  const entries = [...wanted]
    .sort()
    .map(([name, contract]) => `${name}: typed<import('../../../../contracts/${contract}.ts').${name}>(),`);
  const source = `export const types = (() => {
  type Plain<Value> = unknown extends Value ? Value
    : Value extends object ? { [Key in keyof Value]: Plain<Value[Key]> } : Value;
  const typed = <Value>(): Plain<Value> => { throw new Error(); };
  return { ${entries.join(' ')} };
})();
`;
  writeFileSync(join(unfinished, 'types.ts'), source);
  const settings = { extends: '../../tsconfig.json', include: ['types.ts'], exclude: [] };
  writeFileSync(join(unfinished, 'tsconfig.json'), JSON.stringify(settings));
  emitDeclarations(join(unfinished, 'tsconfig.json'), join(unfinished, 'inferred'));
  const inferred = relative(join(PACKAGE, '..', '..'), join(unfinished, 'types.d.ts'));
  const text = readFileSync(join(unfinished, 'inferred', inferred), 'utf8');
  const types = text
    .replace(/^export declare const types: \{\n/, '')
    .replace(/\n\};\n$/, '\n')
    .replaceAll(/^ {4}(\w+): /gm, 'export type $1 = ')
    .replaceAll(/^ {4}/gm, '')
    // A type that refers to itself is not written out.
    .replaceAll(/import\("[./\w-]*\/contracts\/[\w-]+\.ts"\)\.(\w+)/g, '$1');
  const isWhole = [...wanted.keys()].every((name) => types.includes(`export type ${name} = `));
  if (!isWhole || types.includes('import(')) throw new Error(`types that need other files:\n${types}`);
  return types;
}

function emitDeclarations(settings: string, folder: string): void {
  const compiler = join(PACKAGE, '../../node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', folder];
  execFileSync(process.execPath, [compiler, '-p', settings, ...flags], { stdio: 'inherit' });
}

if (import.meta.main) await buildPackage();
