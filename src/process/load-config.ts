/** Loading linkerd.yaml: its schema, its rules, and the JSON Schema that editors complete from. */
import { type ConfigLanguage, type ConfigSource, type Loaded, load, loadFile } from '../config/load.ts';
import { jsonSchemaOf } from '../program/json-schema.ts';
import { uniqueListeners } from '../program/listeners.ts';
import { builtOnly } from '../program/not-built.ts';
import { usableTokens } from '../program/token-files.ts';
import { type LinkerdConfig, linkerdSchema } from './config.ts';
import {
  explainEmptyKey,
  explainUnknownKey,
  guardedOverrides,
  listeners,
  matchablePrefixes,
  uniqueLabels,
} from './config-rules.ts';
import { notBuiltYet } from './not-built-yet.ts';

const language: ConfigLanguage<LinkerdConfig> = {
  essential: 'routers',
  schema: linkerdSchema,
  rules: [
    uniqueLabels,
    uniqueListeners(listeners),
    guardedOverrides,
    matchablePrefixes,
    usableTokens,
    builtOnly(notBuiltYet),
  ],
  explainUnknownKey,
  explainEmptyKey,
};

/** Loads a linkerd.yaml from its text. */
export function loadConfig(source: ConfigSource): Promise<Loaded<LinkerdConfig>> {
  return load(source, language);
}

/** Loads a linkerd.yaml from a file, or from standard input for `-`. */
export function loadConfigFile(path: string): Promise<Loaded<LinkerdConfig>> {
  return loadFile(path, language);
}

/** The JSON Schema of linkerd.yaml. */
export function configJsonSchema(): Promise<object> {
  return jsonSchemaOf(linkerdSchema, 'linkerd.yaml, as Signpost reads it');
}
