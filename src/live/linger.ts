/** How long things run on after their last reader, ms: a reload or a flapping branch must not restart a watch. */
export const DEFAULT_LINGER_MS = 10_000;
