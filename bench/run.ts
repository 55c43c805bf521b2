/**
 * Runs a case: its subjects alternate within each round, so that a slow minute of the machine falls on all of them.
 */
import type { Case } from './cases/index.ts';
import { FIGURES, type Figures } from './figures.ts';
import { PEERS } from './peers/index.ts';
import type { PeerName } from './peers/peer.ts';
import { type Bench, type Running, type Subject, start } from './subject.ts';

export interface SubjectResult {
  readonly subject: Subject;
  readonly rounds: Figures[];
  /** Why it has no (further) rounds. */
  skipped?: string;
}

export interface CaseResult {
  readonly case: Case;
  readonly subjects: readonly SubjectResult[];
  readonly skipped?: string;
}

export type Progress = (line: string) => void;

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function brief(c: Case, figures: Figures): string {
  return c.columns
    .slice(0, 2)
    .map((column) => `${FIGURES[column].head} ${figures[column]?.toFixed(FIGURES[column].digits)}`)
    .join(', ');
}

/** Runs `step`; a failure ends this subject's part in the case and is said at once. */
async function attempt(result: SubjectResult, progress: Progress, step: () => Promise<void>): Promise<void> {
  if (result.skipped !== undefined) return;
  try {
    await step();
  } catch (error) {
    result.skipped = message(error);
    progress(`  ${result.subject.label}: SKIPPED: ${result.skipped}`);
  }
}

async function startWarm(c: Case, subject: Subject, bench: Bench): Promise<Running> {
  const running = await start(subject, bench);
  try {
    await c.warmUp(running, bench);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

export async function runCase(
  c: Case,
  peers: readonly PeerName[],
  rounds: number,
  bench: Bench,
  progress: Progress,
): Promise<CaseResult> {
  progress(`${c.name}: ${c.title}`);
  const absent = c.absent();
  if (absent !== undefined) {
    progress(`  SKIPPED: ${absent}`);
    return { case: c, subjects: [], skipped: absent };
  }
  const results = c.subjects
    .filter((subject) => peers.includes(subject.peer))
    .map((subject): SubjectResult => ({ subject, rounds: [] }));
  const started = new Map<SubjectResult, Running>();

  const stop = async (result: SubjectResult): Promise<void> => {
    await started.get(result)?.stop();
    started.delete(result);
  };

  try {
    for (const result of results) {
      await attempt(result, progress, async () => {
        const reason = PEERS[result.subject.peer].absent();
        if (reason !== undefined) throw new Error(reason);
        if (!c.fresh) started.set(result, await startWarm(c, result.subject, bench));
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const result of results) {
        await attempt(result, progress, async () => {
          const running = started.get(result) ?? (await startWarm(c, result.subject, bench));
          started.set(result, running);
          const figures = await c.measure(running, bench);
          result.rounds.push(figures);
          progress(`  round ${round + 1}/${rounds} ${result.subject.label}: ${brief(c, figures)}`);
        });
        if (c.fresh || result.skipped !== undefined) await stop(result);
      }
    }
  } finally {
    for (const result of results) await stop(result);
  }
  return { case: c, subjects: results };
}
