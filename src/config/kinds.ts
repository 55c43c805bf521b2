/**
 * A section of the config that several kinds share, such as one of `namers:`: the union of the kinds' schemas, told apart
 * by `kind`, each with the keys that every kind of the section has.
 */
import type { z as Zod } from 'zod';
import type { KindConfig, KindSchema, Z } from './kind.ts';
import * as scalars from './scalars.ts';

export interface KindSection {
  /** What one of these is called in messages: `namer`, `identifier`. */
  readonly noun: string;
  readonly kinds: readonly KindSchema[];
  /** Kinds of the original that are known by name only: their keys are not looked at. */
  readonly unread?: readonly string[];
  /** Kinds that are declared experimental need no `experimental: true` here. */
  readonly ignoresExperimental?: boolean;
  /** Keys that every kind of the section has. A key that a kind defines itself wins. */
  readonly common?: Readonly<Record<string, Zod.ZodType>>;
}

/** The schema of one kind of a section. */
export function kindSchema(z: Z, section: KindSection): Zod.ZodType<KindConfig> {
  const known = section.kinds.map((kind) => {
    const own = kind.config(z);
    const common = Object.entries(section.common ?? {}).filter(([key]) => !(key in own.shape));
    // safeExtend keeps the rules that the kind's schema states between its keys.
    return own
      .safeExtend({ ...Object.fromEntries(common), kind: z.literal(kind.kind), experimental: experimental(z) })
      .superRefine((value, context) => {
        if (kind.experimental !== true || value['experimental'] === true || section.ignoresExperimental) return;
        const message = `the ${section.noun} ${kind.kind} is experimental; add \`experimental: true\` beside its kind`;
        context.addIssue({ code: 'custom', path: ['experimental'], message });
      }, unlessWrong('experimental'))
      .meta(kind.summary === undefined ? {} : { description: kind.summary });
  });
  const unread = (section.unread ?? []).map((kind) =>
    z.looseObject({ kind: z.literal(kind) }).meta({ description: 'Known, but not built yet.' }),
  );
  const members = [...known, ...unread] as unknown as [Zod.ZodObject, ...Zod.ZodObject[]];
  return z.discriminatedUnion('kind', members) as unknown as Zod.ZodType<KindConfig>;
}

/** A key that may be left out, with the line that explains it and the value it then has (none: nothing happens). */
export function optional<Schema extends Zod.ZodType>(schema: Schema, description: string, fallback?: unknown) {
  return schema.optional().meta(fallback === undefined ? { description } : { description, default: fallback });
}

/** A key that must be there, with the line that explains it. */
export function required<Schema extends Zod.ZodType>(schema: Schema, description: string): Schema {
  return schema.meta({ description });
}

/**
 * For a rule between keys (`superRefine`): that it is asked whenever these keys are right by themselves. Without it, any wrong
 * key of the section would hide what the rule has to say.
 */
export function unlessWrong(...keys: string[]): Zod.core.$ZodSuperRefineParams {
  return {
    when: ({ issues }) =>
      issues.every(({ code, path: [key] = [] }) =>
        key === undefined ? code === 'unrecognized_keys' : !keys.includes(String(key)),
      ),
  };
}

export function experimental(z: Z) {
  return optional(scalars.bool(z), 'Must be true beside what is declared experimental.', false);
}
