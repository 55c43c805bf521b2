/**
 * The safety net under file events: every watched path is looked at now and then, since some file systems (NFS, FUSE, some
 * container layers) send no events, handles can run out, and a rename of a directory further up is not reported.
 */

/** How often the poll runs, in ms. */
const INTERVAL_MS = 1_000;
/** How many paths one run looks at, so that thousands of files cost no more than this: each then waits for its turn. */
const PATHS_A_RUN = 200;

export interface Polled {
  /** Looks whether something changed. Must not reject. */
  poll(): Promise<void>;
}

const polled = new Set<Polled>();
let timer: NodeJS.Timeout | undefined;
let running = false;

/** Returns what takes it out again. */
export function addToPoll(one: Polled): () => void {
  polled.add(one);
  timer ??= setInterval(run, INTERVAL_MS).unref();
  return () => {
    polled.delete(one);
    if (polled.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

async function run(): Promise<void> {
  // A slow disk must not pile runs up.
  if (running) return;
  running = true;
  let left = Math.min(PATHS_A_RUN, polled.size);
  for (const one of polled) {
    if (left-- === 0) break;
    // To the end of the queue: the set keeps the order of insertion.
    polled.delete(one);
    polled.add(one);
    await one.poll();
  }
  running = false;
}
