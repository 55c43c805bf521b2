/**
 * A *kind* is what a `kind:` (or `protocol:`) in a config file names: one file with its schema and its factory, listed
 * once in its folder's index.ts.
 *
 * The schema is a function of `z`, because data-plane workers import kinds for their factories and must not load zod
 * (28 ms and 10 MiB each). A validated config is plain JSON, since it crosses threads.
 */
import type { z as Zod } from 'zod';

export type Z = typeof Zod;

/** What a config may say about one kind: enough to read it, without the factory. */
export interface KindSchema {
  readonly kind: string;
  /** Linkerd asks for `experimental: true` beside kinds that it declares experimental. */
  readonly experimental?: boolean;
  /** One line for the JSON Schema and the reference page. */
  readonly summary?: string;
  readonly config: (z: Z) => Zod.ZodObject;
}

export interface Kind<Config, Context, Instance> extends KindSchema {
  /** Which side creates instances: the control thread, or each data-plane worker. */
  readonly thread: 'control' | 'data';
  /** Builds an instance from a validated config. Opens nothing: resources are acquired by `start()` or by a first reader. */
  readonly create: (config: Config, context: Context) => Instance;
}

export function defineKind<Shape extends Zod.ZodObject, Context, Instance>(definition: {
  kind: string;
  thread: 'control' | 'data';
  experimental?: boolean;
  summary?: string;
  config: (z: Z) => Shape;
  create: (config: Zod.infer<Shape>, context: Context) => Instance;
}): Kind<Zod.infer<Shape>, Context, Instance> {
  return definition;
}

/** The validated config of a section that several kinds share, before its kind's factory reads it. */
export interface KindConfig {
  readonly kind: string;
  readonly experimental?: boolean | undefined;
  readonly [key: string]: unknown;
}
