/** Answers from live values: one state, or all that come when the client watches. */
import {
  type ControlRequest,
  type ControlResponse,
  liveStates,
  pingHeader,
  type ShownState,
  text,
} from '../../../src/control-http/index.ts';
import { type Activity, Derivations, hasValue, type Live, sameActivity, until } from '../../../src/live/index.ts';
import { isAnswer, readWatch, type Watching } from './parameters.ts';

/** A request that watches nothing gets 503 when there is no state after so many ms; the original lets it wait for ever. */
const PATIENCE_MS = 30_000;

/** What clients are told, by question: however many ask the same, it is rendered once. */
export class Renderings {
  readonly #kept = new Derivations<Activity<ShownState>>({ equals: sameActivity(sameState) });

  /** Equal questions have equal keys. `render` reads live values and depends on nothing else. */
  get(question: readonly string[], render: () => Activity<ShownState>): Live<Activity<ShownState>> {
    return this.#kept.get(JSON.stringify(question), render);
  }

  close(): void {
    this.#kept.close();
  }
}

export function sameState(a: ShownState, b: ShownState): boolean {
  return a.key === b.key;
}

/** A state that is told by its text alone. */
export function shown(text: string): ShownState {
  return { key: text, text };
}

export interface AnswerOptions {
  readonly contentType?: string | undefined;
  /** The status where there is no state but a failure. */
  readonly failure?: () => number;
}

/** Answers with the state of a live value, or with the stream of its states. */
export async function answerWith(
  request: ControlRequest,
  live: Live<Activity<ShownState>>,
  { contentType, failure = () => 503 }: AnswerOptions = {},
): Promise<ControlResponse> {
  const typed = contentType === undefined ? {} : { contentType };
  const watch = readWatch(request);
  if (isAnswer(watch)) return watch;
  if (watch !== undefined) return watched(live, watch, typed);
  const now = await settled(live, request);
  if (now === undefined) return timedOut();
  if (hasValue(now)) return { status: 200, ...typed, body: `${now.value.text}\n` };
  return text(failure(), `${(now as { error: Error }).error.message}\n`);
}

/** The stream of a live value's states. */
export function watched(
  live: Live<Activity<ShownState>>,
  { pingSecs }: Watching,
  typed: Pick<ControlResponse, 'contentType'> = {},
): ControlResponse {
  const body = { ...liveStates(live), pingMs: pingSecs === 0 ? undefined : pingSecs * 1000 };
  return { status: 200, ...typed, headers: pingHeader(pingSecs), body };
}

export function timedOut(): ControlResponse {
  return text(503, 'Request timed out.');
}

/** The first state with a value or a failure; undefined when there is none in time. Rejects when the client goes. */
export async function settled<T>(live: Live<Activity<T>>, { gone }: ControlRequest): Promise<Activity<T> | undefined> {
  const ending = new AbortController();
  const leave = () => ending.abort(gone.reason);
  const late = setTimeout(() => ending.abort(LATE), PATIENCE_MS);
  gone.addEventListener('abort', leave);
  try {
    return await until(live, (now) => hasValue(now) || now.phase === 'failed', { signal: ending.signal });
  } catch (error) {
    if (error === LATE) return undefined;
    throw error;
  } finally {
    clearTimeout(late);
    gone.removeEventListener('abort', leave);
  }
}

const LATE = new Error('late');
