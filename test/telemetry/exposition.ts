/**
 * A strict reader of the Prometheus text format (version 0.0.4), for tests: whatever the format does not allow is an
 * error. Written from the format's description, apart from the renderer.
 */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ExpositionFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  summary: ['', '_sum', '_count'],
  histogram: ['_bucket', '_sum', '_count'],
};

export function parseExposition(text: string): Map<string, ExpositionFamily> {
  if (text === '') return new Map();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ExpositionFamily>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | null = null;
  let family: ExpositionFamily | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment?.[1] === 'HELP') {
      help = { name: comment[2]!, text: comment[3]! };
      family = null;
    } else if (comment !== null) {
      const [, , name, type] = comment as unknown as [string, string, string, string];
      if (!NAME.test(name) || !(type in SUFFIXES)) throw new Error(`bad TYPE: ${line}`);
      if (help?.name !== name) throw new Error(`no HELP before: ${line}`);
      if (families.has(name)) throw new Error(`a second time: ${line}`);
      family = { name, type, help: help.text, samples: [] };
      families.set(name, family);
    } else {
      if (family === null) throw new Error(`no TYPE before: ${line}`);
      const sample = parseSample(line);
      const suffix = sample.name.startsWith(family.name) ? sample.name.slice(family.name.length) : null;
      if (suffix === null || !SUFFIXES[family.type]!.includes(suffix))
        throw new Error(`not of ${family.name}: ${line}`);
      const series = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(series)) throw new Error(`twice: ${line}`);
      seen.add(series);
      family.samples.push(sample);
    }
  }
  for (const { type, samples } of families.values()) if (type === 'histogram') checkHistogram(samples);
  return families;
}

export function parseSample(line: string): Sample {
  const match = /^([^ {]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null || !NAME.test(match[1]!)) throw new Error(`no sample: ${line}`);
  const [, name = '', list = '', number = ''] = match;
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:, ?|$)/y;
  while (pair.lastIndex < list.length) {
    const found = pair.exec(list);
    if (found === null || found[1]! in labels) throw new Error(`bad labels: ${line}`);
    labels[found[1]!] = found[2]!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  const value = Number(number.replace(/^\+?Inf$/, 'Infinity').replace(/^-Inf$/, '-Infinity'));
  if (number !== 'NaN' && Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

/** Buckets of each series ascend in bound and count, and end with all at infinity. */
function checkHistogram(samples: readonly Sample[]): void {
  const bySeries = Map.groupBy(samples, ({ labels: { le, ...labels } }) => JSON.stringify(labels));
  for (const [series, own] of bySeries) {
    const buckets = own.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const ascends = (numbers: number[]) => numbers.every((number, at) => at === 0 || number >= numbers[at - 1]!);
    const count = own.find(({ name }) => name.endsWith('_count'))?.value;
    if (!ascends(bounds) || !ascends(counts) || bounds.at(-1) !== Number.POSITIVE_INFINITY || counts.at(-1) !== count) {
      throw new Error(`bad buckets of ${series}`);
    }
  }
}
