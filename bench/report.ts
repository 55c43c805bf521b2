/**
 * What is printed and what is kept: one table a case, the verdicts, and the same as JSON with every round.
 */
import { FIGURES, type Figure, type Spread, spreadOfFigure, spreadOfRatio } from './figures.ts';
import type { Machine } from './machine.ts';
import type { CaseResult, SubjectResult } from './run.ts';
import { judge, type Verdict } from './targets.ts';

export interface RunFacts {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly cores: { readonly load: number; readonly proxy: number };
  /** Version of each peer that took part, or why it could not. */
  readonly peers: Readonly<Record<string, string>>;
}

/** `median (min-max)`, or the median alone when the rounds do not differ at this precision. */
function cell(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return '-';
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => value.toFixed(digits));
  return min === max ? `${median}` : `${median} (${min}-${max})`;
}

/** First column to the left, the others to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const roundsOf = (result: CaseResult, label: string) =>
  result.subjects.find((other) => other.subject.label === label)?.rounds ?? [];

const ratioOf = (result: CaseResult, subject: SubjectResult, figure: Figure): Spread | undefined =>
  spreadOfRatio(subject.rounds, roundsOf(result, subject.subject.against), figure);

function table(result: CaseResult): string {
  const { columns, ratios } = result.case;
  const heads = columns.flatMap((figure) =>
    ratios.includes(figure) ? [FIGURES[figure].head, 'x HAProxy'] : [FIGURES[figure].head],
  );
  const rows = result.subjects
    .filter((subject) => subject.rounds.length > 0)
    .map((subject) => [
      subject.subject.label,
      ...columns.flatMap((figure) => {
        const own = cell(spreadOfFigure(subject.rounds, figure), FIGURES[figure].digits);
        return ratios.includes(figure) ? [own, cell(ratioOf(result, subject, figure), 2)] : [own];
      }),
    ]);
  return rows.length === 0 ? '' : alignColumns([['', ...heads], ...rows]);
}

/** One case as text: its title, its table, and what was skipped and why. */
export function caseText(result: CaseResult): string {
  const skipped = result.skipped === undefined ? [] : [`SKIPPED: ${result.skipped}`];
  for (const { subject, skipped: reason, rounds } of result.subjects) {
    if (reason !== undefined) skipped.push(`${subject.label}: SKIPPED after ${rounds.length} rounds: ${reason}`);
  }
  return [`${result.case.name}: ${result.case.title}`, table(result), ...skipped]
    .filter((part) => part !== '')
    .join('\n');
}

const word = (verdict: Verdict): string => {
  if (verdict.met === undefined) return 'not measured';
  return verdict.met ? 'met' : 'NOT MET';
};

export function verdictsText(results: readonly CaseResult[]): string {
  const rows = judge(results).map((verdict) => [verdict.target, verdict.measured ?? '-', word(verdict)]);
  return `Figures to reach (ratios of medians)\n${alignColumns(rows)}`;
}

export function factsText(facts: RunFacts): string {
  const { machine, cores } = facts;
  const lines = [
    `${facts.date}, ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `${facts.rounds} alternating rounds of ${facts.seconds} s; load and backend on core ${cores.load}, proxy on core ${cores.proxy}`,
    'Each cell: median (least-greatest) over the rounds; ratios are taken within a round.',
    ...Object.entries(facts.peers).map(([name, version]) => `  ${name}: ${version}`),
  ];
  return lines.join('\n');
}

const figuresJson = (subject: SubjectResult, columns: readonly Figure[]) =>
  Object.fromEntries(columns.map((figure) => [figure, spreadOfFigure(subject.rounds, figure)]));

/** Everything that was measured, each round included. */
export function toJson(facts: RunFacts, results: readonly CaseResult[]): string {
  const cases = results.map((result) => ({
    name: result.case.name,
    title: result.case.title,
    skipped: result.skipped,
    subjects: result.subjects.map((subject) => ({
      label: subject.subject.label,
      peer: subject.subject.peer,
      against: subject.subject.against,
      skipped: subject.skipped,
      figures: figuresJson(subject, result.case.columns),
      ratios: Object.fromEntries(result.case.ratios.map((figure) => [figure, ratioOf(result, subject, figure)])),
      rounds: subject.rounds,
    })),
  }));
  return `${JSON.stringify({ ...facts, cases, targets: judge(results) }, undefined, 2)}\n`;
}
