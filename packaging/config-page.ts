/**
 * Writes docs/config.md and docs/namerd-config.md, the references of linkerd.yaml and namerd.yaml, from the schemas:
 * `npm run docs`. A test compares the pages with what this prints, so that no key is built without its line.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as namerd from '../namerd/load-config.ts';
import { notBuiltYet as notBuiltInNamerd } from '../namerd/not-built-yet.ts';
import { configJsonSchema } from '../src/process/load-config.ts';
import { notBuiltYet } from '../src/process/not-built-yet.ts';
import type { NotBuilt } from '../src/program/not-built.ts';

/** The part of JSON Schema that the schemas use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const NOT_BUILT = 'Known, but not built yet.';

const LINKERD_INTRODUCTION = `# linkerd.yaml

<!-- Written by \`npm run docs\` from the schemas; edit those. -->

Every key that Signpost reads, with its type, default and meaning. The file is YAML, or JSON when it begins with \`{\`;
\`signpost check FILE\` says all that is wrong with one, and \`signpost schema\` prints this reference as a JSON Schema for
editors. A key in *italics* is known from Linkerd 1.7.5 but not built yet: it is checked, named in a warning at the start, and
has no effect; where that would weaken security or lose routing, Signpost refuses to start.
`;

const NAMERD_INTRODUCTION = `# namerd.yaml

<!-- Written by \`npm run docs\` from the schemas; edit those. -->

Every key that namerd reads, with its type, default and meaning; [namerd.md](namerd.md) tells how to run it. The file is YAML, or JSON
when it begins with \`{\`; \`namerd check FILE\` says all that is wrong with one, and \`namerd schema\` prints this reference as a JSON
Schema for editors. A key in *italics* is known from namerd 1.7.5 but not built yet: it is checked, named in a warning at the start, and
has no effect.
`;

/** What a page is made of. */
interface Reference {
  readonly introduction: string;
  readonly schema: Schema;
  readonly notBuilt: readonly NotBuilt[];
}

function variantsOf(schema: Schema): readonly Schema[] {
  return (schema.anyOf ?? schema.oneOf ?? []).filter(({ description }) => description !== NOT_BUILT);
}

/** What tells the variants of a union apart. */
function nameOf(variant: Schema): string | undefined {
  const tag = variant.properties?.['kind'] ?? variant.properties?.['protocol'];
  return typeof tag?.const === 'string' ? tag.const : undefined;
}

function isTable(schema: Schema): boolean {
  return schema.properties !== undefined && Object.keys(schema.properties).length > 0;
}

function numberType({ minimum, maximum }: Schema): string {
  const from = minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  // The largest that a timer or a 32-bit counter takes says nothing to a reader.
  const to = maximum === undefined || maximum >= 2 ** 31 - 1 ? undefined : maximum;
  if (from === undefined) return to === undefined ? '' : ` up to ${to}`;
  return to === undefined ? ` from ${from}` : ` ${from} to ${to}`;
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const variants = variantsOf(schema);
  if (variants.length > 0) {
    if (variants.some((variant) => nameOf(variant) !== undefined)) {
      const tag = variants[0]?.properties?.['protocol'] === undefined ? 'kind' : 'protocol';
      return `object, by \`${tag}\``;
    }
    return variants.map(typeOf).join(' or ');
  }
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`;
  if (schema.type === 'integer' || schema.type === 'number') return schema.type + numberType(schema);
  return schema.type ?? 'value';
}

function isUnbuilt(path: string, notBuilt: readonly NotBuilt[]): boolean {
  return notBuilt.some(({ at, kind }) => kind === undefined && (path === at || path.endsWith(`.${at}`)));
}

type Row = (path: string, key: string, schema: Schema, required: boolean) => string;

const rowBy =
  (notBuilt: readonly NotBuilt[]): Row =>
  (path, key, schema, required) => {
    const name = isUnbuilt(path, notBuilt) ? `*${key}*` : `\`${key}\``;
    const fallback =
      schema.default === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(schema.default)}\``;
    const description = (schema.description ?? '').replaceAll('|', '\\|');
    return `| ${name} | ${typeOf(schema)} | ${fallback} | ${description} |`;
  };

/** The tables of a schema and of what stands below it, each under the path of its key. */
function sections(row: Row, path: string, schema: Schema, level: number): string[] {
  if (schema.type === 'array' && schema.items !== undefined) return sections(row, `${path}[]`, schema.items, level);
  const variants = variantsOf(schema);
  if (variants.length > 0) return variants.flatMap((variant) => sections(row, path, variant, level));
  if (!isTable(schema)) return [];
  const name = nameOf(schema);
  const title = `${path}${name === undefined ? '' : `: ${name}`}`;
  const entries = Object.entries(schema.properties ?? {}).filter(
    ([key, { const: tag }]) => tag === undefined || key === 'configs',
  );
  const rows = entries.map(([key, value]) =>
    row(`${path}.${key}`, key, value, schema.required?.includes(key) ?? false),
  );
  const table = rows.length === 0 ? [] : ['| key | type | default | meaning |', '|---|---|---|---|', ...rows];
  const text = [`${'#'.repeat(Math.min(level, 4))} ${title}`, schema.description ?? '', table.join('\n')];
  const own = text.filter((part) => part !== '').join('\n\n');
  // The entries of a static list have the keys of the object beside it, which are told there.
  const below = entries.filter(([key]) => key !== 'configs' && key !== 'transformers');
  return [own, ...below.flatMap(([key, value]) => sections(row, `${path}.${key}`, value, level + 1))];
}

function pageOf({ introduction, schema, notBuilt }: Reference): string {
  const row = rowBy(notBuilt);
  const top = Object.entries(schema.properties ?? {});
  const table = top.map(([key, value]) => row(key, key, value, schema.required?.includes(key) ?? false));
  const namers = schema.properties?.['namers']?.items;
  const transformers = namers === undefined ? undefined : variantsOf(namers)[0]?.properties?.['transformers'];
  const parts = [
    introduction.trim(),
    ['## Top level', '', '| key | type | default | meaning |', '|---|---|---|---|', ...table].join('\n'),
    ...top.flatMap(([key, value]) => sections(row, key, value, 2)),
    '## transformers[]\n\nOf a namer or of an interpreter, applied in their order.',
    ...(transformers === undefined ? [] : sections(row, 'transformers', transformers, 3)),
  ];
  return `${parts.join('\n\n')}\n`;
}

export async function configPage(): Promise<string> {
  const schema = (await configJsonSchema()) as Schema;
  return pageOf({ introduction: LINKERD_INTRODUCTION, schema, notBuilt: notBuiltYet });
}

export async function namerdConfigPage(): Promise<string> {
  const schema = (await namerd.configJsonSchema()) as Schema;
  return pageOf({ introduction: NAMERD_INTRODUCTION, schema, notBuilt: notBuiltInNamerd });
}

if (process.argv[1] === import.meta.filename) {
  const docs = join(import.meta.dirname, '..', 'docs');
  writeFileSync(join(docs, 'config.md'), await configPage());
  writeFileSync(join(docs, 'namerd-config.md'), await namerdConfigPage());
}
