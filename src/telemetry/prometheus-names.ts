/**
 * Metric paths as Prometheus names and labels (reference/telemetry-metrics.md section 2). Segments that name a router,
 * server, service or client become labels, and so does what kind of failure was counted:
 *
 *     rt/out/client/#/io.l5d.fs/web/requests           rt:client:requests{rt="out", client="#/io.l5d.fs/web"}
 *     rt/out/server/0.0.0.0/4140/failures/x/y          rt:server:failures{rt="out", server="0.0.0.0/4140", exception="x:y"}
 */

export interface ScopeName {
  /** `rt:client` */
  readonly name: string;
  /** The segments that the name is made of, as they were: `rt/client`. */
  readonly literal: string;
  /** The segments that are no part of the name, by what they are: `rt` and `out`. */
  readonly tags: readonly (readonly [name: string, value: string])[];
  /** The same as Prometheus has them, `rt="out", client="..."`; empty when there are none. */
  readonly labels: string;
  /** Whether `failures/...` in this scope is told by a label: not in what a client counts of its services. */
  readonly labelsFailures: boolean;
}

export interface SeriesName {
  /** Below the scope's name. */
  readonly name: string;
  readonly labels: string;
}

/** Names of segments whose next segment is a label, after `rt/<label>`. */
const LABELLED = new Set(['server', 'service', 'client']);

export function scopeName(path: readonly string[]): ScopeName {
  const tags: [name: string, value: string][] = [];
  const literal = [...path];
  let labelsFailures = false;
  if (path[0] === 'rt' && path.length > 1) {
    literal.splice(1, 1);
    tags.push(['rt', path[1] as string]);
    const [, , kind = '', id] = path;
    if (LABELLED.has(kind) && id !== undefined) {
      literal.splice(2, 1);
      tags.push([kind, id]);
      labelsFailures = path.length === 4;
      if (kind === 'client' && path[4] === 'service' && path[5] !== undefined) {
        literal.splice(3, 1);
        tags.push(['service', path[5]]);
      }
    }
  }
  const labels = tags.map(([name, value]) => label(name, value)).join(', ');
  return { name: nameOf(literal), literal: literal.join('/'), tags, labels, labelsFailures };
}

export function seriesName(name: string, labelsFailures: boolean): SeriesName {
  const segments = name.split('/');
  const [first, ...rest] = segments;
  if (labelsFailures && first === 'failures' && rest.length > 0) {
    return { name: first, labels: label('exception', rest.join(':')) };
  }
  if (segments.length > 1 && segments.at(-2) === 'exn') {
    return {
      name: nameOf([...segments.slice(0, -2), 'exceptions']),
      labels: label('exception', segments.at(-1) ?? ''),
    };
  }
  return { name: nameOf(segments), labels: '' };
}

/** Segments joined with `:`; what a name may not have becomes `_`. */
export function nameOf(segments: readonly string[]): string {
  return segments.map((segment) => segment.replace(/[^a-zA-Z0-9_:]/g, '_')).join(':');
}

/** A prefix is put before names as it is, but for what a name may not have, which includes a digit at its beginning. */
export function prefixOf(prefix: string): string {
  return prefix.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
}

/** The exposition format escapes backslashes, quotes and line ends of label values. */
function label(name: string, value: string): string {
  const escaped = value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
  return `${name}="${escaped}"`;
}
