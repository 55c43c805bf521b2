/** Names that stand for other names: a pattern takes parts of a path, a template puts them together again. */
import { defineKind } from '../config/kind.ts';
import { required, unlessWrong } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { type Activity, constant, type Live, ok } from '../live/index.ts';
import { leaf, type Namer, type NamerTree, NEG, ParseError, Path, PathMatcher } from '../naming/index.ts';
import type { NamerContext } from './context.ts';

export const rewrite = defineKind({
  kind: 'io.l5d.rewrite',
  thread: 'control',
  summary: 'Rewrites paths that match a pattern, such as `/{host}:{port}` to `/srv/{port}/{host}`.',
  config: (z) =>
    z
      .strictObject({
        prefix: required(scalars.path(z), 'Names begin with /# and this.'),
        pattern: required(
          scalars.string(z),
          'What follows the prefix: segments that are literal, `*`, or have `{name}`s in them. More may follow; it is lost.',
        ),
        name: required(scalars.string(z), 'The path that results; `{name}`s are replaced by what the pattern took.'),
      })
      .superRefine(
        ({ pattern, name }, context) => {
          const message = whyNoTemplate(new PathMatcher(pattern), name);
          if (message !== undefined) context.addIssue({ code: 'custom', path: ['name'], message });
        },
        unlessWrong('pattern', 'name'),
      ),
  create: (config, _context: NamerContext) => new RewriteNamer(config.pattern, config.name),
});

class RewriteNamer implements Namer {
  readonly #pattern: PathMatcher;
  readonly #template: string;

  constructor(pattern: string, template: string) {
    this.#pattern = new PathMatcher(pattern);
    this.#template = template;
  }

  /** Segments after those that the pattern matches are dropped, as in the original. */
  lookup(path: Path): Live<Activity<NamerTree>> {
    const captured = this.#pattern.match(path);
    const rewritten = captured && parsed(PathMatcher.substitute(this.#template, captured));
    // What was taken may be empty, so that no path results: then there is no such name.
    return constant(ok(rewritten instanceof Path ? leaf(rewritten) : NEG));
  }

  close(): void {}
}

function whyNoTemplate(pattern: PathMatcher, template: string): string | undefined {
  const sample = new Map(pattern.names.map((name) => [name, 'x']));
  const substituted = PathMatcher.substitute(template, sample);
  const unknown = /\{[^{}]*\}/.exec(substituted)?.[0];
  if (unknown !== undefined) return `${unknown} is not in the pattern`;
  const path = parsed(substituted);
  return path instanceof ParseError ? `not a path: ${path.message}` : undefined;
}

function parsed(text: string): Path | ParseError {
  try {
    return Path.parse(text);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}
