/** The JSON Schema (draft 7, which most editors read) of a config, from its schema. */
import type { z as Zod } from 'zod';
import type { Z } from '../config/kind.ts';

export async function jsonSchemaOf(schema: (z: Z) => Zod.ZodType, title: string): Promise<object> {
  const { z } = await import('zod');
  const json = z.toJSONSchema(schema(z), {
    target: 'draft-7',
    // What a user writes, not what it is coerced to.
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // Defaults of coerced scalars are dropped on the way; they are what a reader looks for.
      const fallback = z.globalRegistry.get(zodSchema as never)?.['default'];
      if (fallback !== undefined) jsonSchema['default'] = fallback as never;
    },
  });
  return { ...json, title };
}
