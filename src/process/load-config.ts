/** Loading linkerd.yaml: its schema, its rules, and the JSON Schema that editors complete from. */
import { type ConfigLanguage, type ConfigSource, type Loaded, load, readSource } from '../config/load.ts';
import { type LinkerdConfig, linkerdSchema } from './config.ts';
import { builtOnly, explainUnknownKey, guardedOverrides, uniqueLabels, uniqueListeners } from './config-rules.ts';

const language: ConfigLanguage<LinkerdConfig> = {
  schema: linkerdSchema,
  rules: [uniqueLabels, uniqueListeners, guardedOverrides, builtOnly],
  explainUnknownKey,
};

/** Loads a linkerd.yaml from its text. */
export function loadConfig(source: ConfigSource): Promise<Loaded<LinkerdConfig>> {
  return load(source, language);
}

/** Loads a linkerd.yaml from a file, or from standard input for `-`. */
export async function loadConfigFile(path: string): Promise<Loaded<LinkerdConfig>> {
  const source = readSource(path);
  return 'text' in source ? await loadConfig(source) : { ok: false, errors: [source], warnings: [] };
}

/** The JSON Schema (draft 7, which most editors read) of linkerd.yaml. */
export async function configJsonSchema(): Promise<object> {
  const { z } = await import('zod');
  const schema = z.toJSONSchema(linkerdSchema(z), {
    target: 'draft-7',
    // What a user writes, not what it is coerced to.
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // Defaults of coerced scalars are dropped on the way; they are what a reader looks for.
      const fallback = z.globalRegistry.get(zodSchema as never)?.['default'];
      if (fallback !== undefined) jsonSchema['default'] = fallback as never;
    },
  });
  return { ...schema, title: 'linkerd.yaml, as Signpost reads it' };
}
