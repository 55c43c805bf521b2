/** Loading namerd.yaml: its schema, its rules, and the JSON Schema that editors complete from. */
import { type ConfigLanguage, type ConfigSource, type Loaded, load, loadFile } from '../src/config/load.ts';
import { consistentAccessLogs } from '../src/program/access-logs.ts';
import { jsonSchemaOf } from '../src/program/json-schema.ts';
import { uniqueListeners } from '../src/program/listeners.ts';
import { builtOnly } from '../src/program/not-built.ts';
import { usableTokens } from '../src/program/token-files.ts';
import { type NamerdConfig, namerdSchema } from './config.ts';
import { accessLogs, distinctPrefixes, explainUnknownKey, listeners, withoutMeaning } from './config-rules.ts';
import { notBuiltYet } from './not-built-yet.ts';

const language: ConfigLanguage<NamerdConfig> = {
  essential: 'interfaces',
  schema: namerdSchema,
  rules: [
    uniqueListeners(listeners),
    consistentAccessLogs(accessLogs),
    distinctPrefixes,
    withoutMeaning,
    usableTokens,
    builtOnly(notBuiltYet),
  ],
  explainUnknownKey,
};

/** Loads a namerd.yaml from its text. */
export function loadConfig(source: ConfigSource): Promise<Loaded<NamerdConfig>> {
  return load(source, language);
}

/** Loads a namerd.yaml from a file, or from standard input for `-`. */
export function loadConfigFile(path: string): Promise<Loaded<NamerdConfig>> {
  return loadFile(path, language);
}

/** The JSON Schema of namerd.yaml. */
export function configJsonSchema(): Promise<object> {
  return jsonSchemaOf(namerdSchema, 'namerd.yaml, as namerd reads it');
}
