/**
 * `/admin/pprof/profile` and `/admin/pprof/heap`: where a thread spends its time, or what allocates its memory, sampled for
 * some seconds. The answer is V8's own format (`.cpuprofile`, `.heapprofile`), which Chrome's and editors' tools open.
 */
import type { Session } from 'node:inspector/promises';
import type { Worker } from 'node:worker_threads';
import { type ControlHandler, methodNotAllowed, text } from '../control-http/index.ts';

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 120;
const MAIN = 'main';

/** Starts sampling; the result ends it and gives the profile's JSON. */
type Sampler = () => Promise<() => Promise<string>>;

interface Profile {
  readonly extension: string;
  readonly ofMain: Sampler;
  readonly ofWorker: (worker: Worker) => ReturnType<Sampler>;
}

const cpu: Profile = {
  extension: 'cpuprofile',
  ofMain: async () => {
    const session = await openSession();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return () => ended(session, async () => (await session.post('Profiler.stop')).profile);
  },
  ofWorker: async (worker) => {
    const handle = await worker.startCpuProfile();
    return async () => await handle.stop();
  },
};

const heap: Profile = {
  extension: 'heapprofile',
  ofMain: async () => {
    const session = await openSession();
    await session.post('HeapProfiler.startSampling');
    return () => ended(session, async () => (await session.post('HeapProfiler.stopSampling')).profile);
  },
  ofWorker: async (worker) => {
    const handle = await worker.startHeapProfile();
    return async () => await handle.stop();
  },
};

/** `workers` are those that run now, by their names `data-0`, `data-1`, ... */
export function profileHandlers(workers: () => readonly Worker[]): [string, ControlHandler][] {
  // A profile costs its thread something: one at a time, for no longer than asked.
  let busy = false;
  const handler =
    (profile: Profile): ControlHandler =>
    async (request) => {
      if (request.method !== 'GET') return methodNotAllowed('GET');
      const seconds = Number(request.query.get('seconds') ?? DEFAULT_SECONDS);
      if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
        return text(400, `seconds must be a number above 0, at most ${MAX_SECONDS}\n`);
      }
      const threads = workers();
      const name = request.query.get('thread') ?? threads[0]?.threadName ?? MAIN;
      const worker = threads.find(({ threadName }) => threadName === name);
      if (worker === undefined && name !== MAIN) {
        const names = [MAIN, ...threads.map(({ threadName }) => threadName)];
        return text(404, `there is no thread "${name}"; there are: ${names.join(', ')}\n`);
      }
      if (busy) return text(409, 'another profile is being taken\n');
      busy = true;
      try {
        const stop = await (worker === undefined ? profile.ofMain() : profile.ofWorker(worker));
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        const headers = { 'Content-Disposition': `attachment; filename="${name}.${profile.extension}"` };
        return { status: 200, contentType: 'application/json', headers, body: await stop() };
      } finally {
        busy = false;
      }
    };
  return [
    ['/admin/pprof/profile', handler(cpu)],
    ['/admin/pprof/heap', handler(heap)],
  ];
}

async function openSession(): Promise<Session> {
  // Loaded when somebody asks: the inspector costs memory.
  const inspector = await import('node:inspector/promises');
  const session = new inspector.Session();
  session.connect();
  return session;
}

async function ended(session: Session, stop: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await stop());
  } finally {
    session.disconnect();
  }
}
