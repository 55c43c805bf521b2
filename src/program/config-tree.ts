/** Looking into a config as it was written, where anything may be missing or of the wrong shape: for rules. */
export type ConfigMap = Readonly<Record<string, unknown>>;

/** Empty for what is no map. */
export const asMap = (value: unknown): ConfigMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ConfigMap) : {};
/** Empty for what is no list. */
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
