/** Ends a worker thread of a running process from outside, through node's inspector, which SIGUSR1 opens. */
import type { ServingProgram } from '../../support/serving-program.ts';
import { until } from '../../support/until.ts';

interface Message {
  readonly method?: string;
  readonly params?: { readonly sessionId: string };
}

/** The first data-plane worker that is found; resolves when it has gone. */
export async function endWorker(program: ServingProgram): Promise<void> {
  program.kill('SIGUSR1');
  const address = await addressOf(program);
  const socket = new WebSocket(address);
  const send = (id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }));
  let sessionId: string | null = null;
  await new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error(`the inspector at ${address} does not answer`));
    socket.onopen = () => send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    socket.onmessage = ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as Message;
      if (method === 'NodeWorker.detachedFromWorker') socket.close();
      if (method !== 'NodeWorker.attachedToWorker' || params === undefined || sessionId !== null) return;
      sessionId = params.sessionId;
      // In a worker this ends the thread alone.
      const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(1)' } });
      send(2, 'NodeWorker.sendMessageToWorker', { sessionId, message });
    };
    void program.exited.then(() => reject(new Error('the process has ended')));
    socket.onclose = () => resolve();
  });
}

async function addressOf(program: ServingProgram): Promise<string> {
  const address = () => /Debugger listening on (ws:\S+)/.exec(program.errorsSoFar())?.[1];
  await until(() => address() !== undefined);
  return address() as string;
}
