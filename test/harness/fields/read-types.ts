/** Reads the request types of an installed SDK from its declaration files, down to the last field. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

/** The parts of the syntax tree that declarations use. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [property: string]: unknown;
}

export type FieldType =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'any' | 'null' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'array'; readonly of: FieldType }
  | { readonly kind: 'union'; readonly of: readonly FieldType[] }
  | { readonly kind: 'object'; readonly object: ObjectType };

export interface Field {
  readonly optional: boolean;
  readonly type: FieldType;
  /** What the SDK says of it. */
  readonly documentation: string;
}

/** A declared object. The fields of one that refers to itself are filled in after it. */
export interface ObjectType {
  readonly name: string;
  readonly fields: Map<string, Field>;
  /** Whether it may have any other field. */
  isOpen?: boolean;
}

interface Declaration {
  readonly node: Node;
  readonly file: DeclarationFile;
  /** The namespaces around it. */
  readonly scope: readonly string[];
}

interface DeclarationFile {
  readonly path: string;
  readonly source: string;
  /** By dotted name. */
  readonly declarations: Map<string, Declaration>;
  readonly imports: Map<string, { readonly path: string; readonly name: string }>;
}

interface Place {
  readonly file: DeclarationFile;
  readonly scope: readonly string[];
  /** The name of an object that has none itself. */
  readonly name: string;
}

const DECLARATIONS = [
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'ClassDeclaration',
] as readonly string[];

const PROPERTIES = ['TSPropertySignature', 'PropertyDefinition'] as readonly string[];

const DOCUMENTATION_CHARS = 4_000;

/** Generic types whose argument has the fields. */
const WRAPPERS = ['Array', 'ReadonlyArray', 'Omit', 'Pick', 'Partial'];

export class SdkTypes {
  readonly #files = new Map<string, DeclarationFile>();
  readonly #objects = new Map<Node, ObjectType>();

  /** @param path of the declaration file. */
  read(path: string, name: string): ObjectType {
    const found = this.#find(this.#file(resolve(path)), name.split('.'), []);
    if (found === null) throw new Error(`${path} declares no ${name}`);
    const type = this.#typeOfDeclaration(found);
    if (type.kind !== 'object') throw new Error(`${name} is no object`);
    return type.object;
  }

  #file(path: string): DeclarationFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const source = readFileSync(path, 'utf8');
    const file: DeclarationFile = { path, source, declarations: new Map(), imports: new Map() };
    this.#files.set(path, file);
    const { program } = parseSync(path, source);
    for (const statement of program.body as unknown as Node[]) this.#addStatement(file, statement, []);
    return file;
  }

  #addStatement(file: DeclarationFile, statement: Node, scope: readonly string[]): void {
    if (statement.type === 'ImportDeclaration') {
      const source = String((statement['source'] as Node)['value']).replace(/\.m?js$/, '');
      const path = resolve(dirname(file.path), `${source}.d.ts`);
      for (const specifier of statement['specifiers'] as Node[]) {
        const isNamed = specifier.type === 'ImportSpecifier';
        const name = isNamed ? nameOf(specifier['imported'] as Node) : '*';
        file.imports.set(nameOf(specifier['local'] as Node), { path, name });
      }
      return;
    }
    const node = (statement['declaration'] ?? statement) as Node;
    if (node.type === 'TSModuleDeclaration') {
      const inner = [...scope, nameOf(node['id'] as Node)];
      const body = (node['body'] as Node | null)?.['body'] as Node[] | undefined;
      for (const own of body ?? []) this.#addStatement(file, own, inner);
    } else if (DECLARATIONS.includes(node.type)) {
      const name = [...scope, nameOf(node['id'] as Node)].join('.');
      file.declarations.set(name, { node, file, scope });
    }
  }

  /** Looks in the namespaces around a reference, from the inside, and then among the imports. */
  #find(file: DeclarationFile, path: readonly string[], scope: readonly string[]): Declaration | null {
    for (let depth = scope.length; depth >= 0; depth -= 1) {
      const found = file.declarations.get([...scope.slice(0, depth), ...path].join('.'));
      if (found !== undefined) return found;
    }
    const imported = file.imports.get(path[0] ?? '');
    if (imported === undefined || !existsSync(imported.path)) return null;
    const rest = imported.name === '*' ? path.slice(1) : [imported.name, ...path.slice(1)];
    return rest.length === 0 ? null : this.#find(this.#file(imported.path), rest, []);
  }

  #typeOfDeclaration({ node, file, scope }: Declaration): FieldType {
    const own = nameOf(node['id'] as Node);
    const place = { file, scope: [...scope, own], name: [...scope, own].join('.') };
    if (node.type === 'TSTypeAliasDeclaration') return this.#typeOf(node['typeAnnotation'] as Node, place);
    if (node.type === 'TSEnumDeclaration') return typeOfEnum(node);
    const known = this.#objects.get(node);
    if (known !== undefined) return { kind: 'object', object: known };
    const object: ObjectType = { name: place.name, fields: new Map() };
    this.#objects.set(node, object);
    for (const base of (node['extends'] as Node[] | undefined) ?? []) {
      const found = this.#find(file, namesOf(base['expression'] as Node), scope);
      const type = found === null ? null : this.#typeOfDeclaration(found);
      if (type?.kind !== 'object') continue;
      for (const [name, field] of type.object.fields) object.fields.set(name, field);
    }
    this.#addFields(object, (node['body'] as Node)['body'] as Node[], place);
    return { kind: 'object', object };
  }

  #addFields(object: ObjectType, members: readonly Node[], place: Place): void {
    object.isOpen = members.some(({ type }) => type === 'TSIndexSignature');
    for (const member of members) {
      if (!PROPERTIES.includes(member.type) || member['typeAnnotation'] === null) continue;
      const key = member['key'] as Node;
      const name = String(key['name'] ?? key['value']);
      const annotation = (member['typeAnnotation'] as Node)['typeAnnotation'] as Node;
      const type = this.#typeOf(annotation, { ...place, name: `${place.name}.${name}` });
      object.fields.set(name, {
        optional: member['optional'] === true,
        type,
        documentation: this.#before(member, place),
      });
    }
  }

  /** The comment that ends where a declaration starts; '' for none. */
  #before({ start }: Node, { file }: Place): string {
    const text = file.source.slice(Math.max(0, start - DOCUMENTATION_CHARS), start);
    const comment = text.slice(text.lastIndexOf('/**'));
    return /^\/\*\*(?:[^*]|\*(?!\/))*\*\/\s*$/.test(comment) ? comment : '';
  }

  #typeOf(node: Node, place: Place): FieldType {
    switch (node.type) {
      case 'TSStringKeyword':
        return { kind: 'string' };
      case 'TSNumberKeyword':
        return { kind: 'number' };
      case 'TSBooleanKeyword':
        return { kind: 'boolean' };
      case 'TSNullKeyword':
        return { kind: 'null' };
      case 'TSLiteralType':
        return { kind: 'literal', value: (node['literal'] as Node)['value'] as string };
      case 'TSArrayType':
        return { kind: 'array', of: this.#typeOf(node['elementType'] as Node, place) };
      case 'TSUnionType':
        return { kind: 'union', of: (node['types'] as Node[]).map((own) => this.#typeOf(own, place)) };
      case 'TSParenthesizedType':
        return this.#typeOf(node['typeAnnotation'] as Node, place);
      case 'TSIntersectionType':
        return this.#typeOf((node['types'] as Node[])[0] as Node, place);
      case 'TSTypeLiteral':
        return this.#typeOfLiteral(node, place);
      case 'TSTypeReference':
        return this.#typeOfReference(node, place);
      default:
        return { kind: 'any' };
    }
  }

  #typeOfLiteral(node: Node, place: Place): FieldType {
    const members = node['members'] as Node[];
    if (members.every(({ type }) => type !== 'TSPropertySignature')) return { kind: 'any' };
    const object: ObjectType = { name: place.name, fields: new Map() };
    this.#addFields(object, members, place);
    return { kind: 'object', object };
  }

  #typeOfReference(node: Node, place: Place): FieldType {
    const path = namesOf(node['typeName'] as Node);
    const [argument] = ((node['typeArguments'] as Node | null)?.['params'] as Node[] | undefined) ?? [];
    if (WRAPPERS.includes(path.join('.')) && argument !== undefined) {
      const type = this.#typeOf(argument, place);
      return path[0]?.endsWith('Array') ? { kind: 'array', of: type } : type;
    }
    const found = this.#find(place.file, path, place.scope);
    return found === null ? { kind: 'any' } : this.#typeOfDeclaration(found);
  }
}

function typeOfEnum(node: Node): FieldType {
  const members = ((node['body'] as Node | undefined)?.['members'] ?? node['members']) as Node[];
  const of = members.map((member): FieldType => {
    const value = (member['initializer'] as Node | null)?.['value'] ?? nameOf(member['id'] as Node);
    return { kind: 'literal', value: value as string };
  });
  return { kind: 'union', of };
}

function nameOf(node: Node): string {
  return String(node['name'] ?? node['value']);
}

function namesOf(node: Node): string[] {
  if (node.type === 'Identifier') return [nameOf(node)];
  // A base is written as an expression.
  const [left, right] = [node['left'] ?? node['object'], node['right'] ?? node['property']] as [Node, Node];
  return [...namesOf(left), nameOf(right)];
}
