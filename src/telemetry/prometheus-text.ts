/**
 * The Prometheus text format (version 0.0.4) of a snapshot: names and labels as the original prints them, with the TYPE
 * and HELP lines that the format wants and with each family in one piece.
 *
 * A stat gives three families: a summary of the last full minute, with `_sum` and `_count` as the original has them; its
 * average, `<name>_avg`; and, for latencies of requests, a classic histogram since the start, `<name>_hist`, which
 * can be added up over hosts. Its bounds are off by at most the histogram's error (metrics/buckets.ts).
 *
 * Lines of scopes that tell their version are kept until that changes (prometheus-pages.ts).
 */
import { describe, type MetricDefinition } from '../metrics/names.ts';
import type { MetricSnapshot, MetricValue, ScopeSnapshot } from '../metrics/snapshot.ts';
import { type ScopeLabels, scopeLabels, type Target, writeMetric } from './prometheus-lines.ts';
import { nameOf, prefixOf, type ScopeName, scopeName, seriesName } from './prometheus-names.ts';
import { FreshLines, Group } from './prometheus-pages.ts';

/** The original says `text/plain` alone; the version is what Prometheus 3 wants to see. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What is kept of a rendering is let go when nobody has asked for another by then, ms. */
const KEPT_MS = 5 * 60_000;

type FamilyType = 'counter' | 'gauge' | 'summary' | 'histogram';

interface Family {
  readonly name: string;
  readonly type: FamilyType;
  /** TYPE and HELP. */
  readonly header: Buffer;
  /** Which metric gives the series without further labels than the scope's, and so for each set of further labels. */
  readonly owners: Map<string, string>;
}

interface ScopeKind {
  readonly scope: ScopeName;
  readonly labels: ScopeLabels;
  /** By name of the metric; null for one whose series another one has already. */
  readonly targets: Map<string, Target<Family> | null>;
}

/** Where the lines of a scope are kept. */
interface Place {
  readonly group: Group<Family>;
  readonly number: number;
  /** Of the scope, when its lines were written; null: they have not been. */
  version: number | null;
  /** The last rendering that had the scope. */
  seen: number;
}

/** What was just rendered of one group. */
type Fresh = Map<Family, FreshLines>;

export class PrometheusText {
  readonly #prefix: string;
  /** By name. Names are few (metrics/names.ts); what there are many of is labels. */
  readonly #families = new Map<string, Family>();
  /** By literal segments of a scope. */
  readonly #kinds = new Map<string, ScopeKind['targets']>();
  /** By the path of a scope, which is the same array in each snapshot. */
  readonly #scopes = new WeakMap<readonly string[], ScopeKind>();

  /** What is kept: only scopes that were in the last snapshot. By path, too. */
  readonly #places = new Map<readonly string[], Place>();
  #groups: Group<Family>[] = [];
  readonly #letGo = setTimeout(() => this.#forget(), KEPT_MS).unref();
  #renderings = 0;

  /** `prefix` stands before each name. */
  constructor(prefix = '') {
    this.#prefix = prefixOf(prefix);
  }

  /** The whole text; for a server `chunks` is cheaper. */
  render(snapshot: MetricSnapshot): string {
    return Buffer.concat(this.chunks(snapshot)).toString();
  }

  /** The text in UTF-8, in pieces to be written one after the other. */
  chunks(snapshot: MetricSnapshot): Buffer[] {
    this.#letGo.refresh();
    try {
      return this.#pieces(this.#update(snapshot));
    } catch (error) {
      // Whatever was half done.
      this.#forget();
      throw error;
    }
  }

  /** Brings the pages up to date. Returns the lines of the scopes that do not tell a version. */
  #update({ scopes }: MetricSnapshot): Fresh {
    this.#renderings++;
    const unkept: Fresh = new Map();
    let fresh: Fresh = new Map();
    let group: Group<Family> | null = null;
    for (const scope of scopes) {
      const { path, version } = scope;
      if (version === undefined) {
        this.#write(scope, unkept, 0);
        continue;
      }
      const place = this.#places.get(path) ?? this.#newPlace(path);
      place.seen = this.#renderings;
      if (place.version === version) continue;
      if (place.group !== group) {
        group?.update(fresh);
        group = place.group;
        fresh = new Map();
      }
      group.replace(place.number);
      this.#write(scope, fresh, place.number);
      place.version = version;
    }
    group?.update(fresh);
    this.#dropUnseen();
    return unkept;
  }

  #write({ path, metrics }: ScopeSnapshot, into: Fresh, place: number): void {
    const kind = this.#scopeKind(path);
    const emit = (family: Family, text: string): void => {
      let lines = into.get(family);
      if (lines === undefined) {
        lines = new FreshLines();
        into.set(family, lines);
      }
      lines.append(place, text);
    };
    for (const metric of metrics) {
      const target = this.#target(kind, path, metric);
      if (target !== null) writeMetric(target, kind.labels, metric, emit);
    }
  }

  /** After all others, as the scope is in the snapshot. */
  #newPlace(path: readonly string[]): Place {
    let group = this.#groups.at(-1);
    if (group === undefined || group.isFull) {
      group = new Group();
      this.#groups.push(group);
    }
    const place = { group, number: group.take(), version: null, seen: 0 };
    this.#places.set(path, place);
    return place;
  }

  #dropUnseen(): void {
    for (const [path, { group, number, seen }] of this.#places) {
      if (seen === this.#renderings) continue;
      this.#places.delete(path);
      group.give(number);
    }
    this.#groups = this.#groups.filter((group) => !group.isEmpty);
    for (const group of this.#groups) group.update(NO_LINES);
  }

  #forget(): void {
    this.#places.clear();
    this.#groups = [];
  }

  #pieces(unkept: Fresh): Buffer[] {
    const pieces: Buffer[] = [];
    for (const family of this.#families.values()) {
      const before = pieces.push(family.header);
      for (const { pages } of this.#groups) {
        const page = pages.get(family);
        if (page !== undefined) pieces.push(page.bytes);
      }
      const lines = unkept.get(family);
      if (lines !== undefined) pieces.push(Buffer.from(lines.texts.join('')));
      if (pieces.length === before) pieces.pop();
    }
    return pieces;
  }

  #scopeKind(path: readonly string[]): ScopeKind {
    let kind = this.#scopes.get(path);
    if (kind === undefined) {
      const scope = scopeName(path);
      const key = scope.labels === '' ? path.join('\0') : scope.literal;
      let targets = this.#kinds.get(key);
      if (targets === undefined) {
        targets = new Map();
        this.#kinds.set(key, targets);
      }
      kind = { scope, targets, labels: scopeLabels(scope.labels) };
      this.#scopes.set(path, kind);
    }
    return kind;
  }

  #target({ scope, targets }: ScopeKind, path: readonly string[], metric: MetricValue): Target<Family> | null {
    let target = targets.get(metric.name);
    if (target === undefined) {
      target = this.#newTarget(scope, describe(path, metric.name), metric);
      targets.set(metric.name, target);
    }
    return target;
  }

  #newTarget(scope: ScopeName, definition: MetricDefinition | null, metric: MetricValue): Target<Family> | null {
    const { name: own, labels } = seriesName(metric.name, scope.labelsFailures);
    const name = `${this.#prefix}${nameOf([scope.name, own])}`.replace(/^(?=\d)/, '_');
    const help = definition?.help ?? `${scope.literal}/${metric.name}`;
    const owner = `${scope.literal}/${metric.name}`;
    if (metric.type !== 'stat') {
      const main = this.#family(name, metric.type, help, labels, owner);
      return main && { labels, main, average: null, histogram: null };
    }
    const main = this.#family(name, 'summary', `${help} Of the last minute.`, labels, owner);
    const average = this.#family(`${name}_avg`, 'gauge', `${help} Mean of the last minute.`, labels, owner);
    const histogram =
      metric.buckets && this.#family(`${name}_hist`, 'histogram', `${help} Since the start.`, labels, owner);
    return main && { labels, main, average, histogram };
  }

  /** Null when the name is taken: by another type, or by a metric that differs only in what a name can't show. */
  #family(name: string, type: FamilyType, help: string, labels: string, owner: string): Family | null {
    let family = this.#families.get(name);
    if (family === undefined) {
      const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      const header = Buffer.from(`# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`);
      family = { name, type, header, owners: new Map() };
      this.#families.set(name, family);
    }
    const first = family.owners.get(labels) ?? owner;
    family.owners.set(labels, first);
    return family.type === type && first === owner ? family : null;
  }
}

const NO_LINES: Fresh = new Map();
